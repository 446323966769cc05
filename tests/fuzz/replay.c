/* replay.c - the main() of a fuzzer without libFuzzer: runs it on every file of the folders (or files) that
 * are named. A fault is a crash, as when fuzzing. Fails if there was no file. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int n_files;

static void
replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    struct str s = STR_INIT;
    char buf[4096];
    for (size_t n; (n = fread(buf, 1, sizeof buf, f)) > 0;) {
        str_put(&s, buf, n);
    }
    fclose(f);
    /* A block of exactly that size, so that a sanitizer sees what is read beyond it. */
    uint8_t *data = xmemdup(str_c(&s), s.len);
    fprintf(stderr, "%s\n", path);
    LLVMFuzzerTestOneInput(data, s.len);
    free(data);
    str_free(&s);
    n_files++;
}

int
main(int argc, char **argv)
{
    program_set_name(argv[0]);
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            replay_file(argv[i]);
            continue;
        }
        for (struct dirent *e; (e = readdir(dir));) {
            if (e->d_name[0] != '.') {
                char *path = xasprintf("%s/%s", argv[i], e->d_name);
                replay_file(path);
                free(path);
            }
        }
        closedir(dir);
    }
    printf("%d files replayed\n", n_files);
    return n_files == 0;
}
