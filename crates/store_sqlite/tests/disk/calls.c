/*
 * What a process asks of the disk below one folder is done and noted in a log, one call after the other. Loaded before the C library (LD_PRELOAD), so
 * that it sees what SQLite and Rust ask for. What the process says on its standard output is noted in between.
 *
 * FALCONER_DISK_FOLDER  the folder
 * FALCONER_DISK_LOG     the log
 * FALCONER_DISK_LINES   after so many lines the power goes
 * FALCONER_DISK_FAILS   "w7": the seventh write fails, half done; "s7": the seventh synchronisation does
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static char folder[4096];
static size_t folder_length;
static char failing;
static long failing_at, seen, lines;

__attribute__((constructor)) static void begin(void) {
    const char *there = getenv("FALCONER_DISK_FOLDER"), *log = getenv("FALCONER_DISK_LOG"), *fails = getenv("FALCONER_DISK_FAILS"), *most = getenv("FALCONER_DISK_LINES");
    if (!there || !log) return;
    snprintf(folder, sizeof folder, "%s", there);
    folder_length = strlen(folder);
    log_file = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    lines = most ? atol(most) : 0;
    if (fails && fails[0]) {
        failing = fails[0];
        failing_at = atol(fails + 1);
    }
}

/* What is shared memory or a lock is lost with the process anyway. */
static int is_kept(const char *name) {
    size_t end = strlen(name);
    return !(end >= 4 && !strcmp(name + end - 4, "-shm")) && !(end >= 5 && !strcmp(name + end - 5, ".lock"));
}

/* The name of a file of the folder; the folder itself has none. */
static int is_noted(int file, char *name, size_t size) {
    char link[64], path[4096];
    if (log_file < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)folder_length || strncmp(path, folder, folder_length)) return 0;
    path[length] = 0;
    const char *rest = path + folder_length;
    if (rest[0] && rest[0] != '/') return 0;
    snprintf(name, size, "%s", rest[0] ? rest + 1 : "");
    return is_kept(name);
}

static void note(char kind, const char *name, uint64_t at, const void *bytes, uint64_t length) {
    unsigned char head[19];
    uint16_t name_length = (uint16_t)strlen(name);
    uint64_t held = bytes ? length : 0;
    head[0] = (unsigned char)kind;
    memcpy(head + 1, &name_length, 2);
    memcpy(head + 3, &at, 8);
    memcpy(head + 11, &held, 8);
    struct iovec parts[3] = {{head, sizeof head}, {(void *)name, name_length}, {(void *)bytes, (size_t)held}};
    if (syscall(SYS_writev, log_file, parts, 3) < 0) abort();
}

static int fails(char kind) { return failing == kind && ++seen == failing_at; }

static ssize_t put(int file, const void *bytes, size_t length, off_t at, int is_placed) {
    char name[4096];
    if (!is_noted(file, name, sizeof name)) {
        if (is_placed) return syscall(SYS_pwrite64, file, bytes, length, at);
        if (file != STDOUT_FILENO || log_file < 0) return syscall(SYS_write, file, bytes, length);
        pthread_mutex_lock(&turn);
        note('A', "", 0, bytes, length);
        if (--lines == 0) _exit(9);
        pthread_mutex_unlock(&turn);
        return (ssize_t)length;
    }
    pthread_mutex_lock(&turn);
    if (!is_placed) at = lseek(file, 0, SEEK_CUR);
    int is_failing = fails('w');
    size_t much = is_failing ? length / 2 : length;
    ssize_t done = is_placed ? syscall(SYS_pwrite64, file, bytes, much, at) : syscall(SYS_write, file, bytes, much);
    if (done > 0) note('W', name, (uint64_t)at, bytes, (uint64_t)done);
    if (is_failing) {
        note('F', name, 0, NULL, 0);
        errno = EIO;
        done = -1;
    }
    pthread_mutex_unlock(&turn);
    return done;
}

ssize_t write(int file, const void *bytes, size_t length) { return put(file, bytes, length, 0, 0); }
ssize_t pwrite(int file, const void *bytes, size_t length, off_t at) { return put(file, bytes, length, at, 1); }
ssize_t pwrite64(int file, const void *bytes, size_t length, off_t at) { return put(file, bytes, length, at, 1); }

/* The log is what counts, so nothing is really brought to the disk. */
static int synchronise(int file) {
    char name[4096];
    if (!is_noted(file, name, sizeof name)) return (int)syscall(SYS_fsync, file);
    pthread_mutex_lock(&turn);
    int is_failing = fails('s');
    note(is_failing ? 'X' : 'S', name, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    if (is_failing) errno = EIO;
    return is_failing ? -1 : 0;
}

int fsync(int file) { return synchronise(file); }
int fdatasync(int file) { return synchronise(file); }

static int cut(int file, off_t length) {
    char name[4096];
    if (!is_noted(file, name, sizeof name)) return (int)syscall(SYS_ftruncate, file, length);
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_ftruncate, file, length);
    if (!done) note('T', name, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&turn);
    return done;
}

int ftruncate(int file, off_t length) { return cut(file, length); }
int ftruncate64(int file, off_t length) { return cut(file, length); }

static void name_changes(char kind, const char *path) {
    if (log_file < 0 || strncmp(path, folder, folder_length) || path[folder_length] != '/') return;
    const char *name = path + folder_length + 1;
    if (is_kept(name)) note(kind, name, 0, NULL, 0);
}

int unlink(const char *path) {
    pthread_mutex_lock(&turn);
    int done = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!done) name_changes('U', path);
    pthread_mutex_unlock(&turn);
    return done;
}

static int opened(int from, const char *path, int flags, va_list more) {
    int mode = flags & O_CREAT ? va_arg(more, int) : 0;
    if (!(flags & O_CREAT)) return (int)syscall(SYS_openat, from, path, flags, 0);
    pthread_mutex_lock(&turn);
    int file = (int)syscall(SYS_openat, from, path, flags, mode);
    if (file >= 0) name_changes('C', path);
    pthread_mutex_unlock(&turn);
    return file;
}

#define OPENS(name, parameters, from)            \
    int name parameters {                        \
        va_list more;                            \
        va_start(more, flags);                   \
        int file = opened(from, path, flags, more); \
        va_end(more);                            \
        return file;                             \
    }
OPENS(open, (const char *path, int flags, ...), AT_FDCWD)
OPENS(open64, (const char *path, int flags, ...), AT_FDCWD)
OPENS(openat, (int from, const char *path, int flags, ...), from)
OPENS(openat64, (int from, const char *path, int flags, ...), from)
