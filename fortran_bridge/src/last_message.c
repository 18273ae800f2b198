/* The last failure's sentence of each thread, for the C interface. */
#include <stdint.h>
#include <string.h>
#include "subgrid_c.h"
#include "subgrid_pjrt.h"

static _Thread_local char last[SUBGRID_MESSAGE_SIZE];

void subgrid_keep_message(const char *text, int64_t length) {
  if (length > (int64_t)sizeof last - 1) length = (int64_t)sizeof last - 1;
  memcpy(last, text, (size_t)length);
  last[length] = 0;
}

__attribute__((visibility("default"))) int64_t subgrid_c_message(char *text, int64_t capacity) {
  int64_t length = (int64_t)strlen(last);
  if (text && capacity > 0) {
    int64_t copied = length < capacity ? length : capacity - 1;
    memcpy(text, last, (size_t)copied);
    text[copied] = 0;
  }
  return length;
}
