/* Errors, events and sizes for the shim. */
#include <stdarg.h>
#include <stdio.h>
#include "pjrt_internal.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bundles are little-endian and are read without conversion");

int subgrid_fail(char *message, int code, const char *format, ...) {
  va_list list;
  va_start(list, format);
  vsnprintf(message, SUBGRID_MESSAGE_SIZE, format, list);
  va_end(list);
  return code;
}

int subgrid_absorb(const PJRT_Api *api, PJRT_Error *error, const char *doing, char *message) {
  if (!error) return 0;
  FRAME(PJRT_Error_Message_Args, text);
  text.args.error = error;
  api->PJRT_Error_Message(&text.args);
  FRAME(PJRT_Error_GetCode_Args, code);
  code.args.error = error;
  PJRT_Error *none = api->PJRT_Error_GetCode(&code.args);
  FRAME(PJRT_Error_Destroy_Args, end);
  if (none) { /* the plug-in cannot even say its code */
    end.args.error = none;
    api->PJRT_Error_Destroy(&end.args);
  }
  int status = code.args.code > 0 ? (int)code.args.code : (int)PJRT_Error_Code_UNKNOWN;
  subgrid_fail(message, status, "the plug-in failed to %s: %.*s", doing, (int)text.args.message_size, text.args.message);
  end.args.error = error; /* owns the text, so last */
  api->PJRT_Error_Destroy(&end.args);
  return status;
}

int subgrid_await(const PJRT_Api *api, PJRT_Event *event, const char *doing, char *message) {
  if (!event) return 0;
  FRAME(PJRT_Event_Await_Args, wait);
  wait.args.event = event;
  int status = subgrid_absorb(api, api->PJRT_Event_Await(&wait.args), doing, message);
  FRAME(PJRT_Event_Destroy_Args, end);
  end.args.event = event;
  char ignored[SUBGRID_MESSAGE_SIZE];
  subgrid_absorb(api, api->PJRT_Event_Destroy(&end.args), "destroy an event", ignored);
  return status;
}

void subgrid_destroy_buffer(const PJRT_Api *api, PJRT_Buffer *buffer) {
  if (!buffer) return;
  FRAME(PJRT_Buffer_Destroy_Args, end);
  end.args.buffer = buffer;
  char ignored[SUBGRID_MESSAGE_SIZE];
  subgrid_absorb(api, api->PJRT_Buffer_Destroy(&end.args), "destroy a buffer", ignored);
}

PJRT_Buffer_Type subgrid_buffer_type(int kind) {
  switch (kind) {
    case SUBGRID_FLOAT32: return PJRT_Buffer_Type_F32;
    case SUBGRID_FLOAT64: return PJRT_Buffer_Type_F64;
    case SUBGRID_INT32: return PJRT_Buffer_Type_S32;
    case SUBGRID_INT64: return PJRT_Buffer_Type_S64;
  }
  return PJRT_Buffer_Type_INVALID;
}

int64_t subgrid_bytes(const subgrid_layout *layout) {
  int64_t bytes = layout->kind == SUBGRID_FLOAT32 || layout->kind == SUBGRID_INT32 ? 4 : 8;
  for (int i = 0; i < layout->rank; i++) bytes *= layout->dims[i];
  return bytes;
}
