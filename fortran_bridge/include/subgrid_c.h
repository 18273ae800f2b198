/* subgrid from C, and from anything that calls C (Python's ctypes, Julia, Rust): bundles on CPU and GPU through libsubgrid_bridge.
 *
 * Every function returns a status: 0 is success, negative codes are subgrid's own (contracts/status.py), positive ones are the absl
 * codes of the plug-in. After a failure subgrid_c_message gives the sentence. Nothing here ends the process.
 * Strings are UTF-8 and end with a zero byte. Functions may be called from several threads at once, also with one model;
 * only subgrid_c_free must not overlap with another use of that model. */
#ifndef SUBGRID_C_H
#define SUBGRID_C_H
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif

typedef struct subgrid_c_model subgrid_c_model; /* opaque: a bundle that is compiled and lies on a device */

enum { SUBGRID_C_TRUST = 0, SUBGRID_C_VERIFY = 1 }; /* skip the check vectors, or demand them (the normal case) */

/* Load a bundle. plugin: "cpu", "cuda", another NAME whose plug-in the variable SUBGRID_PJRT_PLUGIN_<NAME> gives, or the path of a
 * PJRT plug-in (something with a "/"); NULL or "" means the variable SUBGRID_PJRT_PLUGIN. device: index of the device, from 0. Plug-in and device are
 * opened once a process and shared by the models that name them. *model is NULL after a failure. */
int32_t subgrid_c_load(const char *plugin, int32_t device, const char *bundle, int32_t verify, subgrid_c_model **model);

/* Run one program of the bundle ("forward", "vjp", ...) on n entries.
 * inputs[i] (i = 0 ... n_inputs-1) points to the i-th input of that program, n entries in C order (n, shape...), of the kind and shape that
 * the manifest gives; outputs likewise. *_bytes[i] is the size of that array in bytes: it must be n times the size of an entry.
 * All inputs of the manifest are passed, in its order, also those that the compiled program dropped. 64-byte aligned inputs are read in place. */
int32_t subgrid_c_run(const subgrid_c_model *model, const char *program, int64_t n,
                      const void *const *inputs, const int64_t *input_bytes, int32_t n_inputs,
                      void *const *outputs, const int64_t *output_bytes, int32_t n_outputs);

/* The value of a manifest key ("input.1.name", "batch_sizes", ...), or of "session.platform", "session.platform_version", "session.plugin",
 * "session.device", "session.api_version". Copies at most capacity-1 bytes and a zero; *length (may be NULL) receives the full length
 * without the zero. An unknown key is status -7. */
int32_t subgrid_c_query(const subgrid_c_model *model, const char *key, char *value, int64_t capacity, int64_t *length);

/* Release a model and, with the last model on it, the device. NULL is allowed. */
int32_t subgrid_c_free(subgrid_c_model *model);

/* The sentence of the last failure in the calling thread; "" when there was none. Returns the full length. */
int64_t subgrid_c_message(char *text, int64_t capacity);

#ifdef __cplusplus
}
#endif
#endif
