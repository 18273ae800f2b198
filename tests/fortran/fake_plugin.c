/* A plug-in that misbehaves on demand. It hands every call to the real CPU plug-in (SUBGRID_PJRT_PLUGIN_CPU), except for what the variable
 * SUBGRID_FAKE_PLUGIN names:
 *   other_version     says PJRT 9.0                      fails_to_start     no client
 *   fails_to_compile  no program                         fails_to_run       no execution
 *   wrong_numbers     adds 0.25 to the first element of every result
 *   gpu               says its platform was cuda, so that results are fetched as from a GPU */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include "pjrt_c_api.h"

static const PJRT_Api *real;
static PJRT_Api table;

static int asked_to(const char *misbehaviour) {
  const char *mode = getenv("SUBGRID_FAKE_PLUGIN");
  return mode && !strcmp(mode, misbehaviour);
}

/* A genuine error object: the real plug-in refuses an argument struct without a size. */
static PJRT_Error *some_error(void) {
  PJRT_Event_Await_Args nothing;
  memset(&nothing, 0, sizeof nothing);
  return real->PJRT_Event_Await(&nothing);
}

static PJRT_Error *create(PJRT_Client_Create_Args *args) { return asked_to("fails_to_start") ? some_error() : real->PJRT_Client_Create(args); }

static PJRT_Error *compile(PJRT_Client_Compile_Args *args) { return asked_to("fails_to_compile") ? some_error() : real->PJRT_Client_Compile(args); }

static PJRT_Error *platform_name(PJRT_Client_PlatformName_Args *args) {
  PJRT_Error *error = real->PJRT_Client_PlatformName(args);
  if (asked_to("gpu")) {
    args->platform_name = "cuda";
    args->platform_name_size = 4;
  }
  return error;
}

static PJRT_Error *execute(PJRT_LoadedExecutable_Execute_Args *args) {
  return asked_to("fails_to_run") ? some_error() : real->PJRT_LoadedExecutable_Execute(args);
}

static PJRT_Error *data_pointer(PJRT_Buffer_OpaqueDeviceMemoryDataPointer_Args *args) {
  PJRT_Error *error = real->PJRT_Buffer_OpaqueDeviceMemoryDataPointer(args);
  if (!error && asked_to("wrong_numbers")) *(float *)args->device_memory_ptr += 0.25f;
  return error;
}

__attribute__((visibility("default"))) const PJRT_Api *GetPjrtApi(void) {
  const char *path = getenv("SUBGRID_PJRT_PLUGIN_CPU");
  void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
  const PJRT_Api *(*get)(void) = NULL;
  void *symbol = library ? dlsym(library, "GetPjrtApi") : NULL;
  memcpy(&get, &symbol, sizeof get);
  real = get ? get() : NULL;
  if (!real) return NULL;
  memcpy(&table, real, sizeof table < real->struct_size ? sizeof table : real->struct_size);
  table.struct_size = sizeof table;
  if (asked_to("other_version")) table.pjrt_api_version.major_version = 9;
  table.PJRT_Client_Create = create;
  table.PJRT_Client_Compile = compile;
  table.PJRT_Client_PlatformName = platform_name;
  table.PJRT_LoadedExecutable_Execute = execute;
  table.PJRT_Buffer_OpaqueDeviceMemoryDataPointer = data_pointer;
  return &table;
}
