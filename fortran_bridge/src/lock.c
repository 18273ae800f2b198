/* One lock for what several threads of a host may open, share and release; a thread that holds it may take it again. */
#define _GNU_SOURCE
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

void subgrid_lock(void) { pthread_mutex_lock(&mutex); }
void subgrid_unlock(void) { pthread_mutex_unlock(&mutex); }
