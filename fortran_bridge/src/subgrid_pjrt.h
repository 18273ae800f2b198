/* The thin C shim between subgrid's Fortran and the PJRT C interface: opaque handles in, status and sentence out.
 *
 * Every function returns 0, a positive absl code of the plug-in, or a negative code of subgrid_errors.f90, and writes one sentence into
 * `message` (SUBGRID_MESSAGE_SIZE bytes) when it is not 0. No function ends the process. All of them shield the plug-in from the host's
 * floating-point traps and give the host its modes and flags back (fenv.h). */
#ifndef SUBGRID_PJRT_H
#define SUBGRID_PJRT_H
#include <stdint.h>

#define SUBGRID_MESSAGE_SIZE 1024
#define SUBGRID_MAX_RANK 8

enum { SUBGRID_STATUS_SHAPE = -5, SUBGRID_STATUS_KIND = -6, SUBGRID_STATUS_DEVICE = -8, SUBGRID_STATUS_PLUGIN = -9, SUBGRID_STATUS_VALUE = -11 };
enum { SUBGRID_FLOAT32 = 1, SUBGRID_FLOAT64 = 2, SUBGRID_INT32 = 3, SUBGRID_INT64 = 4 };

/* Kind, rank and dimensions (C order, batch first) of one array of a program; interoperable with type(array_layout) in subgrid_pjrt.f90. */
typedef struct {
  int32_t kind, rank;
  int64_t dims[SUBGRID_MAX_RANK];
} subgrid_layout;

typedef struct subgrid_pjrt_client subgrid_pjrt_client;
typedef struct subgrid_pjrt_program subgrid_pjrt_program;

/* Open a plug-in and create its client on one device. family: "cpu", "gpu" or "" (no create options). memory_fraction: share of the GPU's
 * memory, <= 0 leaves the plug-in's default. threads: size of the CPU pool, 0 leaves it to the plug-in. */
int subgrid_pjrt_open(const char *path, const char *family, int device, float memory_fraction, int threads,
                      subgrid_pjrt_client **client, char *message);
void subgrid_pjrt_close(subgrid_pjrt_client *client);
/* Strings owned by the client: "platform", "platform_version", "api_version"; NULL for another word. */
const char *subgrid_pjrt_text(const subgrid_pjrt_client *client, const char *what);

/* Copy one array to the device, where it stays until released. */
int subgrid_pjrt_upload(const subgrid_pjrt_client *client, const void *data, const subgrid_layout *layout, void **buffer, char *message);
void subgrid_pjrt_release(const subgrid_pjrt_client *client, void *buffer);

/* Compile a StableHLO program and verify its results against `outputs`. `parameters` are uploaded arrays, which must outlive the program. */
int subgrid_pjrt_compile(const subgrid_pjrt_client *client, const char *code, int64_t code_size,
                         int n_parameters, void *const *parameters, int n_inputs, const subgrid_layout *inputs,
                         int n_outputs, const subgrid_layout *outputs, subgrid_pjrt_program **program, char *message);
void subgrid_pjrt_discard(subgrid_pjrt_program *program);

/* Run once, to the end. inputs: whole batches, read in place when 64-byte aligned; outputs[i] receives the first wanted_bytes[i] bytes. */
int subgrid_pjrt_execute(const subgrid_pjrt_program *program, const void *const *inputs, void *const *outputs,
                         const int64_t *wanted_bytes, char *message);

#endif
