/* Opening a plug-in and creating its client (specs of the PJRT C interface: pjrt_c_api.h of the wheel xla-cpu-pjrt). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "pjrt_internal.h"

#define MAX_PLUGINS 8
#define TABLE_NEEDED (offsetof(PJRT_Api, PJRT_Executable_OutputDimensions) + sizeof(void *))

static struct {
  char path[1024];
  const PJRT_Api *api;
} opened[MAX_PLUGINS];
static int n_opened;
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

/* dlopen, table, version. LOCAL keeps XLA's LLVM and absl symbols away from the host. */
static int read_table(const char *path, const PJRT_Api **table, char *message) {
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!library) return subgrid_fail(message, SUBGRID_STATUS_PLUGIN, "plug-in %s cannot be opened: %s", path, dlerror());
  const PJRT_Api *(*get)(void) = NULL;
  void *symbol = dlsym(library, "GetPjrtApi");
  memcpy(&get, &symbol, sizeof get);
  const PJRT_Api *api = get ? get() : NULL;
  if (!api) {
    dlclose(library);
    return subgrid_fail(message, SUBGRID_STATUS_PLUGIN,
                        "%s is not a PJRT plug-in: it has no GetPjrtApi; give the path of pjrt_c_api_cpu_plugin.so or xla_cuda_plugin.so", path);
  }
  int major = api->pjrt_api_version.major_version;
  if (major != PJRT_API_MAJOR || api->struct_size < TABLE_NEEDED)
    return subgrid_fail(message, SUBGRID_STATUS_PLUGIN, "plug-in %s speaks PJRT %d.%d with a table of %zu bytes; this bridge needs %d.x and %zu bytes",
                        path, major, api->pjrt_api_version.minor_version, api->struct_size, PJRT_API_MAJOR, TABLE_NEEDED);
  *table = api;
  return 0;
}

/* A plug-in is initialised once a process and never closed: XLA's threads and static objects do not survive dlclose. */
static int open_plugin(const char *path, const PJRT_Api **api, char *message) {
  int status = 0;
  pthread_mutex_lock(&opening);
  for (int i = 0; i < n_opened; i++)
    if (!strcmp(opened[i].path, path)) {
      *api = opened[i].api;
      goto done;
    }
  if (n_opened == MAX_PLUGINS || strlen(path) >= sizeof opened[0].path) {
    status = subgrid_fail(message, SUBGRID_STATUS_PLUGIN, "plug-in %s: a process opens at most %d plug-ins with paths below %zu bytes", path,
                          MAX_PLUGINS, sizeof opened[0].path);
    goto done;
  }
  if ((status = read_table(path, api, message))) goto done;
  FRAME(PJRT_Plugin_Initialize_Args, start);
  if ((status = subgrid_absorb(*api, (*api)->PJRT_Plugin_Initialize(&start.args), "initialise", message))) goto done;
  strcpy(opened[n_opened].path, path);
  opened[n_opened++].api = *api;
done:
  pthread_mutex_unlock(&opening);
  return status;
}

static PJRT_NamedValue option(const char *name, PJRT_NamedValue_Type type) {
  PJRT_NamedValue value;
  memset(&value, 0, sizeof value);
  value.struct_size = PJRT_NamedValue_STRUCT_SIZE;
  value.name = name;
  value.name_size = strlen(name);
  value.type = type;
  value.value_size = 1;
  return value;
}

/* CPU: one device, and synchronous, which spares a small call a thread hand-off. GPU: this device only, no 75 % preallocation. */
static size_t create_options(const char *family, const int64_t *device, float memory_fraction, PJRT_NamedValue *list) {
  size_t n = 0;
  if (!strcmp(family, "cpu")) {
    list[n] = option("cpu_device_count", PJRT_NamedValue_kInt64);
    list[n++].int64_value = 1;
    list[n] = option("asynchronous", PJRT_NamedValue_kBool);
    list[n++].bool_value = false;
  } else if (!strcmp(family, "gpu")) {
    list[n] = option("visible_devices", PJRT_NamedValue_kInt64List);
    list[n++].int64_array_value = device;
    list[n] = option("preallocate", PJRT_NamedValue_kBool);
    list[n++].bool_value = false;
    if (memory_fraction > 0) {
      list[n] = option("memory_fraction", PJRT_NamedValue_kFloat);
      list[n++].float_value = memory_fraction;
    }
  }
  return n;
}

/* A CPU plug-in that is too old for an option says so; each is left out in turn, since they only cost speed. */
static int create_client(struct subgrid_pjrt_client *self, const char *family, int64_t device, float memory_fraction, char *message) {
  PJRT_NamedValue list[3];
  size_t n = create_options(family, &device, memory_fraction, list);
  int status;
  for (;;) {
    FRAME(PJRT_Client_Create_Args, create);
    create.args.create_options = list;
    create.args.num_options = n;
    status = subgrid_absorb(self->api, self->api->PJRT_Client_Create(&create.args), "create its client", message);
    self->client = status ? NULL : create.args.client;
    int too_old = status == PJRT_Error_Code_INVALID_ARGUMENT || status == PJRT_Error_Code_UNIMPLEMENTED;
    if (!too_old || strcmp(family, "cpu") || n == 0) return status;
    n--;
  }
}

/* XLA's pool reads PJRT_NPROC when the client is created; the variable is put back afterwards. */
static int create_with_threads(struct subgrid_pjrt_client *self, const char *family, int device, float fraction, int threads, char *message) {
  const char *before = getenv("PJRT_NPROC");
  char *kept = before ? strdup(before) : NULL, count[16];
  snprintf(count, sizeof count, "%d", threads);
  if (threads > 0) setenv("PJRT_NPROC", count, 1);
  int status = create_client(self, family, device, fraction, message);
  if (threads > 0 && kept) setenv("PJRT_NPROC", kept, 1);
  if (threads > 0 && !kept) unsetenv("PJRT_NPROC");
  free(kept);
  return status;
}

static int describe(struct subgrid_pjrt_client *self, const char *family, int device, char *message) {
  const PJRT_Api *api = self->api;
  int status;
  FRAME(PJRT_Client_PlatformName_Args, name);
  name.args.client = self->client;
  if ((status = subgrid_absorb(api, api->PJRT_Client_PlatformName(&name.args), "name its platform", message))) return status;
  snprintf(self->platform, sizeof self->platform, "%.*s", (int)name.args.platform_name_size, name.args.platform_name);
  FRAME(PJRT_Client_PlatformVersion_Args, version);
  version.args.client = self->client;
  if ((status = subgrid_absorb(api, api->PJRT_Client_PlatformVersion(&version.args), "give its version", message))) return status;
  snprintf(self->platform_version, sizeof self->platform_version, "%.*s", (int)version.args.platform_version_size, version.args.platform_version);
  for (char *c = self->platform_version; *c; c++)
    if (*c == '\n') *c = ' ';
  snprintf(self->api_version, sizeof self->api_version, "%d.%d", api->pjrt_api_version.major_version, api->pjrt_api_version.minor_version);
  self->reads_in_place = !strcmp(self->platform, "cpu");

  FRAME(PJRT_Client_AddressableDevices_Args, list);
  list.args.client = self->client;
  if ((status = subgrid_absorb(api, api->PJRT_Client_AddressableDevices(&list.args), "list its devices", message))) return status;
  size_t index = !strcmp(family, "gpu") ? 0 : (size_t)device; /* visible_devices left one GPU */
  if (index >= list.args.num_addressable_devices)
    return subgrid_fail(message, SUBGRID_STATUS_DEVICE, "device %d does not exist: the platform %s offers %zu, counted from 0", device, self->platform,
                        list.args.num_addressable_devices);
  self->device = list.args.addressable_devices[index];
  return 0;
}

int subgrid_pjrt_open(const char *path, const char *family, int device, float memory_fraction, int threads,
                      subgrid_pjrt_client **client, char *message) {
  *client = NULL;
  if (device < 0) return subgrid_fail(message, SUBGRID_STATUS_DEVICE, "device %d does not exist: devices are counted from 0", device);
  struct subgrid_pjrt_client *self = calloc(1, sizeof *self);
  if (!self) return subgrid_fail(message, SUBGRID_STATUS_VALUE, "no memory for a client");
  GUARD_BEGIN;
  int status = open_plugin(path, &self->api, message);
  if (!status) status = create_with_threads(self, family, device, memory_fraction, threads, message);
  if (!status) status = describe(self, family, device, message);
  GUARD_END;
  if (status)
    subgrid_pjrt_close(self);
  else
    *client = self;
  return status;
}

void subgrid_pjrt_close(subgrid_pjrt_client *client) {
  if (!client) return;
  if (client->client) {
    GUARD_BEGIN;
    FRAME(PJRT_Client_Destroy_Args, end);
    end.args.client = client->client;
    char ignored[SUBGRID_MESSAGE_SIZE];
    subgrid_absorb(client->api, client->api->PJRT_Client_Destroy(&end.args), "destroy its client", ignored);
    GUARD_END;
  }
  free(client);
}

const char *subgrid_pjrt_text(const subgrid_pjrt_client *client, const char *what) {
  if (!strcmp(what, "platform")) return client->platform;
  if (!strcmp(what, "platform_version")) return client->platform_version;
  if (!strcmp(what, "api_version")) return client->api_version;
  return NULL;
}
