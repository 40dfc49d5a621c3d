/* A preloaded library that makes fsync, fdatasync and pwrite fail with EIO while the file named by FAULT_FILE
   contains "sync" or "write". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/* Whether the fault file exists and begins with this letter. */
static int is_on(char letter) {
    const char *path = getenv("FAULT_FILE");
    char found = 0;
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    if (read(file, &found, 1) != 1) found = 0;
    close(file);
    return found == letter;
}

static int fail(void) {
    errno = EIO;
    return -1;
}

int fsync(int file) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fsync");
    return is_on('s') ? fail() : real(file);
}

int fdatasync(int file) {
    int (*real)(int) = dlsym(RTLD_NEXT, "fdatasync");
    return is_on('s') ? fail() : real(file);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
    ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
    return is_on('w') ? fail() : real(file, bytes, length, offset);
}
