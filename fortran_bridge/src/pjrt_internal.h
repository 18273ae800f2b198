/* What the shim's own C files share: the plug-in's table, argument frames, the floating-point guard and error texts. */
#ifndef SUBGRID_PJRT_INTERNAL_H
#define SUBGRID_PJRT_INTERNAL_H
#include <fenv.h>
#include <stddef.h>
#include <string.h>
#include "pjrt_c_api.h"
#include "subgrid_pjrt.h"

struct subgrid_pjrt_client {
  const PJRT_Api *api;
  PJRT_Client *client;
  PJRT_Device *device;
  int reads_in_place; /* results lie in host memory */
  char platform[64], platform_version[256], api_version[32];
};

/* A plug-in refuses an argument struct that is smaller than the one it was built with, and accepts a larger one. The header that we compile
 * against is older than the plug-ins, so every struct gets a tail of zeros, which newer fields read as "not given". */
#define FRAME_TAIL 128
#define FRAME(type, name)             \
  union {                             \
    type args;                        \
    unsigned char room[sizeof(type) + FRAME_TAIL]; \
  } name;                             \
  memset(&name, 0, sizeof name);      \
  name.args.struct_size = sizeof name

/* XLA divides by zero and makes NaNs on purpose: a host with traps on would die inside it. Worker threads inherit the modes of their
 * creator, so creating the client is guarded too. */
#define GUARD_BEGIN  \
  fenv_t host_fenv;  \
  feholdexcept(&host_fenv)
#define GUARD_END fesetenv(&host_fenv)

/* Write the sentence of a failure of the bridge itself; returns code. */
int subgrid_fail(char *message, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Consume a plug-in's error: 0 when there is none, else its absl code, with its text in message. */
int subgrid_absorb(const PJRT_Api *api, PJRT_Error *error, const char *doing, char *message);
/* Wait for an event and destroy it; NULL is allowed. */
int subgrid_await(const PJRT_Api *api, PJRT_Event *event, const char *doing, char *message);
void subgrid_destroy_buffer(const PJRT_Api *api, PJRT_Buffer *buffer);
PJRT_Buffer_Type subgrid_buffer_type(int kind);
int64_t subgrid_bytes(const subgrid_layout *layout);

/* The layout of the interface is a contract of numbers; a header that moved something must not compile. */
#define OFFSET(type, field, where) _Static_assert(offsetof(type, field) == (where), "the PJRT header moved " #type "." #field)
OFFSET(PJRT_Api, pjrt_api_version, 16);
OFFSET(PJRT_Api, PJRT_Error_Destroy, 40);
OFFSET(PJRT_Api, PJRT_Event_Await, 104);
OFFSET(PJRT_Api, PJRT_Client_Create, 120);
OFFSET(PJRT_Api, PJRT_Client_BufferFromHostBuffer, 216);
OFFSET(PJRT_NamedValue, value_size, 48);
OFFSET(PJRT_Client_Create_Args, client, 64);
OFFSET(PJRT_Client_Compile_Args, executable, 48);
OFFSET(PJRT_Client_BufferFromHostBuffer_Args, buffer, 112);
OFFSET(PJRT_Event_Destroy_Args, event, 16);
OFFSET(PJRT_LoadedExecutable_Execute_Args, device_complete_events, 64);
OFFSET(PJRT_Buffer_ToHostBuffer_Args, event, 48);
OFFSET(PJRT_Buffer_OpaqueDeviceMemoryDataPointer_Args, device_memory_ptr, 24);
#endif
