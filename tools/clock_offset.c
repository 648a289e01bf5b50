/* By LD_PRELOAD, moves the clock of a process and of all that it starts by CLOCK_OFFSET seconds: tools/run_tests_at.py.

   libfaketime moves a clock too, but makes time.sleep fail or other waits hang, so that no test suite runs on it. Here
   only the wall clock differs: time since boot, and so every wait, is what it was. Times of files move along, because
   the kernel stamps them by its own clock. Programs that ask the kernel themselves, such as those in Go, see no move.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static time_t offset;

__attribute__((constructor)) static void read_offset(void) {
    const char *text = getenv("CLOCK_OFFSET");
    offset = text ? atoll(text) : 0;
}

/* The function that this library hides. */
#define HIDDEN(name) \
    static __typeof__(name) *hidden; \
    if (!hidden) hidden = dlsym(RTLD_NEXT, #name)

int clock_gettime(clockid_t clock, struct timespec *now) {
    HIDDEN(clock_gettime);
    int failed = hidden(clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset;
    return failed;
}

time_t time(time_t *seconds) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (seconds) *seconds = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict value, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    value->tv_sec = now.tv_sec, value->tv_usec = now.tv_nsec / 1000;
    return 0;
}

/* A deadline as the kernel's clock has it. Which clock a condition goes by cannot be asked; none is up for 30 years. */
static struct timespec kernels(const struct timespec *deadline) {
    struct timespec at = *deadline;
    if (at.tv_sec > 1000000000) at.tv_sec -= offset;
    return at;
}

int sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict deadline) {
    HIDDEN(sem_timedwait);
    struct timespec at = kernels(deadline);
    return hidden(semaphore, &at);
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict deadline) {
    HIDDEN(pthread_cond_timedwait);
    struct timespec at = kernels(deadline);
    return hidden(condition, mutex, &at);
}

/* Times of files: read as the moved clock would have stamped them, and set as the kernel's would have. */
#define STAT(name, arguments, values) \
    int name arguments { \
        HIDDEN(name); \
        int failed = hidden values; \
        if (!failed) file->st_atim.tv_sec += offset, file->st_mtim.tv_sec += offset, file->st_ctim.tv_sec += offset; \
        return failed; \
    }
STAT(stat, (const char *restrict path, struct stat *restrict file), (path, file))
STAT(lstat, (const char *restrict path, struct stat *restrict file), (path, file))
STAT(fstat, (int descriptor, struct stat *file), (descriptor, file))
STAT(fstatat, (int at, const char *restrict path, struct stat *restrict file, int flags), (at, path, file, flags))
STAT(stat64, (const char *restrict path, struct stat64 *restrict file), (path, file))
STAT(lstat64, (const char *restrict path, struct stat64 *restrict file), (path, file))
STAT(fstat64, (int descriptor, struct stat64 *file), (descriptor, file))
STAT(fstatat64, (int at, const char *restrict path, struct stat64 *restrict file, int flags),
     (at, path, file, flags))

static const struct timespec *set_back(const struct timespec times[2], struct timespec moved[2]) {
    for (int each = 0; times && each < 2; each++) {
        moved[each] = times[each];
        if (times[each].tv_nsec != UTIME_NOW && times[each].tv_nsec != UTIME_OMIT) moved[each].tv_sec -= offset;
    }
    return times ? moved : times;
}

int utimensat(int at, const char *path, const struct timespec times[2], int flags) {
    HIDDEN(utimensat);
    struct timespec moved[2];
    return hidden(at, path, set_back(times, moved), flags);
}

int futimens(int descriptor, const struct timespec times[2]) {
    HIDDEN(futimens);
    struct timespec moved[2];
    return hidden(descriptor, set_back(times, moved));
}
