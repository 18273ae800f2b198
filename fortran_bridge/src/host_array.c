/* What a Fortran array is, read from its descriptor: a Fortran procedure with a `type(*), dimension(..)` dummy cannot ask for the kind. */
#define _POSIX_C_SOURCE 200112L
#include <ISO_Fortran_binding.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "subgrid_pjrt.h"

typedef struct {
  void *address;
  int64_t bytes;                   /* of all elements */
  int32_t kind, rank;              /* kind 0: none of the four that a program takes */
  int32_t contiguous, aligned;     /* aligned: on a 64-byte boundary, which lets a CPU plug-in read in place */
  int64_t extents[SUBGRID_MAX_RANK]; /* Fortran order */
} subgrid_host_array;

static int kind_of(const CFI_cdesc_t *array) {
  if (array->type == CFI_type_float) return SUBGRID_FLOAT32;
  if (array->type == CFI_type_double) return SUBGRID_FLOAT64;
  if (array->type == CFI_type_int32_t) return SUBGRID_INT32;
  if (array->type == CFI_type_int64_t) return SUBGRID_INT64;
  return 0;
}

void subgrid_describe(const CFI_cdesc_t *array, subgrid_host_array *description) {
  memset(description, 0, sizeof *description);
  description->address = array->base_addr;
  description->kind = kind_of(array);
  description->rank = array->rank;
  description->aligned = (uintptr_t)array->base_addr % 64 == 0;
  description->contiguous = 1;
  int64_t expected = (int64_t)array->elem_len;
  for (int i = 0; i < array->rank; i++) {
    int64_t extent = array->dim[i].extent;
    if (i < SUBGRID_MAX_RANK) description->extents[i] = extent;
    if (extent > 1 && array->dim[i].sm != expected) description->contiguous = 0;
    expected *= extent;
  }
  description->bytes = expected;
}

/* Copy between a Fortran array of any strides and packed memory of the same element order. */
static void copy_elements(const CFI_cdesc_t *array, char *packed, int to_array) {
  CFI_index_t index[CFI_MAX_RANK] = {0};
  size_t length = array->elem_len;
  for (int i = 0; i < array->rank; i++)
    if (array->dim[i].extent < 1) return;
  for (;;) {
    char *element = array->base_addr;
    for (int i = 0; i < array->rank; i++) element += index[i] * array->dim[i].sm;
    memcpy(to_array ? element : packed, to_array ? packed : element, length);
    packed += length;
    int axis = 0;
    while (axis < array->rank && ++index[axis] == array->dim[axis].extent) index[axis++] = 0;
    if (axis == array->rank) return;
  }
}

void subgrid_pack(const CFI_cdesc_t *array, void *packed) { copy_elements(array, packed, 0); }
void subgrid_unpack(const CFI_cdesc_t *array, const void *packed) { copy_elements(array, (char *)packed, 1); }

/* 64-byte aligned memory, which XLA:CPU reads without a copy; gfortran's allocate gives 16. NULL when there is none. */
void *subgrid_aligned_memory(int64_t bytes) {
  void *memory = NULL;
  if (bytes < 0 || posix_memalign(&memory, 64, bytes ? (size_t)bytes : 64)) return NULL;
  return memory;
}

void subgrid_free_memory(void *memory) { free(memory); }

/* A whole batch from `valid` entries: the last one is repeated, since zeros would be no physical state. */
void subgrid_pad(const void *entries, int64_t entry_bytes, int64_t valid, int64_t batch, void *padded) {
  size_t length = (size_t)entry_bytes;
  const char *last = (const char *)entries + (size_t)(valid - 1) * length;
  memcpy(padded, entries, (size_t)valid * length);
  for (int64_t i = valid; i < batch; i++) memcpy((char *)padded + (size_t)i * length, last, length);
}
