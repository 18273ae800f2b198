/* Weights on the device, compiled programs, and running one. */
#include <stdlib.h>
#include "pjrt_internal.h"

#define MAX_ARGUMENTS 4096

struct subgrid_pjrt_program {
  const struct subgrid_pjrt_client *client;
  PJRT_LoadedExecutable *executable;
  int n_parameters, n_inputs, n_outputs;
  PJRT_Buffer **parameters; /* borrowed buffers */
  subgrid_layout *inputs, *outputs;
};

/* CompileOptionsProto: build options with one replica and one partition, portable executable. */
static const char base_options[] = "\x1A\x04\x20\x01\x28\x01\x20\x01";
/* An option override for XLA:CPU, whose wider vectors return a wrong arctan in current builds (jax#39352). Programs that can hold none go without:
 * a Bi-LSTM is then 13 % faster (docs/results/climsim/README.md). */
static const char width_option[] = "\x3A\x22\x0A\x1B" "xla_cpu_prefer_vector_width" "\x12\x03\x18\x80\x01";
/* One for XLA:GPU: without its Triton kernels it has few to tune; a network of some layers loads in 2 s instead of 24 s and runs 4-7 % slower
 * (docs/results/README.md). */
static const char triton_option[] = "\x3A\x20\x0A\x1A" "xla_gpu_enable_triton_gemm" "\x12\x02\x10\x00";

static int to_device(const struct subgrid_pjrt_client *client, const void *data, const subgrid_layout *layout, PJRT_HostBufferSemantics semantics,
                     PJRT_Buffer **buffer, PJRT_Event **done, char *message) {
  FRAME(PJRT_Client_BufferFromHostBuffer_Args, put);
  put.args.client = client->client;
  put.args.data = data;
  put.args.type = subgrid_buffer_type(layout->kind);
  put.args.dims = layout->dims;
  put.args.num_dims = (size_t)layout->rank;
  put.args.host_buffer_semantics = semantics;
  put.args.device = client->device;
  int status = subgrid_absorb(client->api, client->api->PJRT_Client_BufferFromHostBuffer(&put.args), "take an array", message);
  *buffer = status ? NULL : put.args.buffer;
  *done = status ? NULL : put.args.done_with_host_buffer;
  return status;
}

int subgrid_pjrt_upload(const subgrid_pjrt_client *client, const void *data, const subgrid_layout *layout, void **buffer, char *message) {
  PJRT_Buffer *made = NULL;
  PJRT_Event *done = NULL;
  GUARD_BEGIN;
  int status = to_device(client, data, layout, PJRT_HostBufferSemantics_kImmutableOnlyDuringCall, &made, &done, message);
  if (!status) status = subgrid_await(client->api, done, "take an array", message);
  GUARD_END;
  *buffer = made;
  return status;
}

void subgrid_pjrt_release(const subgrid_pjrt_client *client, void *buffer) {
  GUARD_BEGIN;
  subgrid_destroy_buffer(client->api, buffer);
  GUARD_END;
}

/* The plug-in's view of the results against the manifest's; the inputs cannot be asked for. */
static int verify_outputs(const PJRT_Api *api, PJRT_Executable *executable, int n, const subgrid_layout *expected, char *message) {
  int status;
  FRAME(PJRT_Executable_NumOutputs_Args, count);
  count.args.executable = executable;
  if ((status = subgrid_absorb(api, api->PJRT_Executable_NumOutputs(&count.args), "count results", message))) return status;
  if (count.args.num_outputs != (size_t)n)
    return subgrid_fail(message, SUBGRID_STATUS_SHAPE, "the program returns %zu arrays, its manifest says %d", count.args.num_outputs, n);
  FRAME(PJRT_Executable_OutputElementTypes_Args, types);
  types.args.executable = executable;
  if ((status = subgrid_absorb(api, api->PJRT_Executable_OutputElementTypes(&types.args), "give the kinds of its results", message))) return status;
  FRAME(PJRT_Executable_OutputDimensions_Args, shapes);
  shapes.args.executable = executable;
  if ((status = subgrid_absorb(api, api->PJRT_Executable_OutputDimensions(&shapes.args), "give the shapes of its results", message))) return status;
  const int64_t *dims = shapes.args.dims;
  for (int i = 0; i < n; dims += shapes.args.dim_sizes[i], i++) {
    if (types.args.output_types[i] != subgrid_buffer_type(expected[i].kind))
      return subgrid_fail(message, SUBGRID_STATUS_KIND, "result %d of the program has another kind than its manifest says", i + 1);
    if (shapes.args.dim_sizes[i] != (size_t)expected[i].rank || memcmp(dims, expected[i].dims, (size_t)expected[i].rank * sizeof *dims))
      return subgrid_fail(message, SUBGRID_STATUS_SHAPE, "result %d of the program has another shape than its manifest says", i + 1);
  }
  return 0;
}

static size_t append(char *options, size_t n, const char *option, size_t size) {
  memcpy(options + n, option, size);
  return n + size;
}

/* Whether the text or bytecode names an operation that is, or that XLA may expand into, an arctan: itself, and functions of complex numbers. */
static int may_need_arctan(const char *code, size_t size) {
  static const char *const words[] = {"atan", "complex", "fft", "imag", "real"};
  for (size_t w = 0; w < sizeof words / sizeof *words; w++) {
    size_t length = strlen(words[w]);
    for (size_t i = 0; i + length <= size; i++)
      if (!memcmp(code + i, words[w], length)) return 1;
  }
  return 0;
}

static int compile(const struct subgrid_pjrt_client *client, const char *code, size_t size, PJRT_LoadedExecutable **executable, char *message) {
  char options[sizeof base_options + sizeof width_option + sizeof triton_option];
  size_t n = sizeof base_options - 1;
  memcpy(options, base_options, n);
  if (!strcmp(client->platform, "cpu") && may_need_arctan(code, size)) n = append(options, n, width_option, sizeof width_option - 1);
  if (!strcmp(client->platform, "cuda")) n = append(options, n, triton_option, sizeof triton_option - 1);
  FRAME(PJRT_Program, program);
  program.args.code = (char *)code;
  program.args.code_size = size;
  program.args.format = "mlir";
  program.args.format_size = 4;
  FRAME(PJRT_Client_Compile_Args, args);
  args.args.client = client->client;
  args.args.program = &program.args;
  args.args.compile_options = options;
  args.args.compile_options_size = n;
  int status = subgrid_absorb(client->api, client->api->PJRT_Client_Compile(&args.args), "compile a program", message);
  *executable = status ? NULL : args.args.executable;
  return status;
}

static int compile_and_verify(struct subgrid_pjrt_program *self, const char *code, size_t size, char *message) {
  const PJRT_Api *api = self->client->api;
  int status = compile(self->client, code, size, &self->executable, message);
  if (status) return status;
  FRAME(PJRT_LoadedExecutable_GetExecutable_Args, get);
  get.args.loaded_executable = self->executable;
  if ((status = subgrid_absorb(api, api->PJRT_LoadedExecutable_GetExecutable(&get.args), "describe a program", message))) return status;
  status = verify_outputs(api, get.args.executable, self->n_outputs, self->outputs, message);
  FRAME(PJRT_Executable_Destroy_Args, end);
  end.args.executable = get.args.executable;
  char ignored[SUBGRID_MESSAGE_SIZE];
  subgrid_absorb(api, api->PJRT_Executable_Destroy(&end.args), "destroy a description", ignored);
  return status;
}

static void *copy(const void *source, size_t bytes) {
  void *made = malloc(bytes ? bytes : 1);
  if (made && bytes) memcpy(made, source, bytes);
  return made;
}

int subgrid_pjrt_compile(const subgrid_pjrt_client *client, const char *code, int64_t code_size,
                         int n_parameters, void *const *parameters, int n_inputs, const subgrid_layout *inputs,
                         int n_outputs, const subgrid_layout *outputs, subgrid_pjrt_program **program, char *message) {
  *program = NULL;
  if (n_parameters + n_inputs > MAX_ARGUMENTS || n_outputs > MAX_ARGUMENTS)
    return subgrid_fail(message, SUBGRID_STATUS_VALUE, "a program has %d arguments and %d results; at most %d are possible", n_parameters + n_inputs,
                        n_outputs, MAX_ARGUMENTS);
  struct subgrid_pjrt_program *self = calloc(1, sizeof *self);
  if (!self) return subgrid_fail(message, SUBGRID_STATUS_VALUE, "no memory for a program");
  self->client = client;
  self->n_parameters = n_parameters;
  self->n_inputs = n_inputs;
  self->n_outputs = n_outputs;
  self->parameters = copy(parameters, (size_t)n_parameters * sizeof *parameters);
  self->inputs = copy(inputs, (size_t)n_inputs * sizeof *inputs);
  self->outputs = copy(outputs, (size_t)n_outputs * sizeof *outputs);
  int status = 0;
  if (!self->parameters || !self->inputs || !self->outputs) status = subgrid_fail(message, SUBGRID_STATUS_VALUE, "no memory for a program");
  GUARD_BEGIN;
  if (!status) status = compile_and_verify(self, code, (size_t)code_size, message);
  GUARD_END;
  if (status)
    subgrid_pjrt_discard(self);
  else
    *program = self;
  return status;
}

void subgrid_pjrt_discard(subgrid_pjrt_program *program) {
  if (!program) return;
  if (program->executable) {
    GUARD_BEGIN;
    FRAME(PJRT_LoadedExecutable_Destroy_Args, end);
    end.args.executable = program->executable;
    char ignored[SUBGRID_MESSAGE_SIZE];
    subgrid_absorb(program->client->api, program->client->api->PJRT_LoadedExecutable_Destroy(&end.args), "destroy a program", ignored);
    GUARD_END;
  }
  free(program->parameters);
  free(program->inputs);
  free(program->outputs);
  free(program);
}

static int launch(const struct subgrid_pjrt_program *self, PJRT_Buffer *const *arguments, PJRT_Buffer **results, char *message) {
  const PJRT_Api *api = self->client->api;
  PJRT_Event *complete = NULL;
  FRAME(PJRT_ExecuteOptions, options);
  FRAME(PJRT_LoadedExecutable_Execute_Args, run);
  run.args.executable = self->executable;
  run.args.options = &options.args;
  run.args.argument_lists = &arguments;
  run.args.num_devices = 1;
  run.args.num_args = (size_t)(self->n_parameters + self->n_inputs);
  run.args.output_lists = &results;
  run.args.device_complete_events = &complete;
  run.args.execute_device = self->client->device;
  int status = subgrid_absorb(api, api->PJRT_LoadedExecutable_Execute(&run.args), "run a program", message);
  if (status) {
    memset(results, 0, (size_t)self->n_outputs * sizeof *results);
    return status;
  }
  return subgrid_await(api, complete, "run a program", message);
}

/* Through the buffer's own memory on a CPU: ToHostBuffer would hand over to another thread, which costs 12 to 60 us. */
static int fetch(const struct subgrid_pjrt_client *client, PJRT_Buffer *buffer, void *to, size_t wanted, size_t whole, char *message) {
  const PJRT_Api *api = client->api;
  int status;
  if (client->reads_in_place) {
    FRAME(PJRT_Buffer_OpaqueDeviceMemoryDataPointer_Args, where);
    where.args.buffer = buffer;
    if ((status = subgrid_absorb(api, api->PJRT_Buffer_OpaqueDeviceMemoryDataPointer(&where.args), "show a result", message))) return status;
    memcpy(to, where.args.device_memory_ptr, wanted);
    return 0;
  }
  void *stage = wanted < whole ? malloc(whole) : NULL;
  if (wanted < whole && !stage) return subgrid_fail(message, SUBGRID_STATUS_VALUE, "no memory for a result of %zu bytes", whole);
  FRAME(PJRT_Buffer_ToHostBuffer_Args, get);
  get.args.src = buffer;
  get.args.dst = stage ? stage : to;
  get.args.dst_size = whole;
  status = subgrid_absorb(api, api->PJRT_Buffer_ToHostBuffer(&get.args), "return a result", message);
  if (!status) status = subgrid_await(api, get.args.event, "return a result", message);
  if (!status && stage) memcpy(to, stage, wanted);
  free(stage);
  return status;
}

int subgrid_pjrt_execute(const subgrid_pjrt_program *program, const void *const *inputs, void *const *outputs,
                         const int64_t *wanted_bytes, char *message) {
  const struct subgrid_pjrt_client *client = program->client;
  int first = program->n_parameters, n_inputs = program->n_inputs, n_outputs = program->n_outputs;
  PJRT_Buffer *arguments[first + n_inputs + 1], *results[n_outputs + 1];
  PJRT_Event *done[n_inputs + 1];
  memcpy(arguments, program->parameters, (size_t)first * sizeof *arguments);
  memset(arguments + first, 0, (size_t)n_inputs * sizeof *arguments);
  memset(results, 0, sizeof results);
  memset(done, 0, sizeof done);

  int status = 0;
  GUARD_BEGIN;
  for (int i = 0; i < n_inputs && !status; i++)
    status = to_device(client, inputs[i], &program->inputs[i], PJRT_HostBufferSemantics_kImmutableZeroCopy, &arguments[first + i], &done[i], message);
  if (!status) status = launch(program, arguments, results, message);
  for (int i = 0; i < n_outputs && !status; i++)
    status = fetch(client, results[i], outputs[i], (size_t)wanted_bytes[i], (size_t)subgrid_bytes(&program->outputs[i]), message);
  for (int i = 0; i < n_outputs; i++) subgrid_destroy_buffer(client->api, results[i]);
  for (int i = 0; i < n_inputs; i++) { /* the buffer first: a zero-copy array is done with when its buffer is gone */
    char late[SUBGRID_MESSAGE_SIZE];
    subgrid_destroy_buffer(client->api, arguments[first + i]);
    int failed = subgrid_await(client->api, done[i], "let go of an array", late);
    if (failed && !status) status = subgrid_fail(message, failed, "%s", late);
  }
  GUARD_END;
  return status;
}
