// What a workload can see and do, told line by line. Each argument is a command.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void list(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) { printf("ls %s: %s\n", path, strerror(errno)); return; }
    struct dirent *entry;
    while ((entry = readdir(folder)))
        if (entry->d_name[0] != '.') printf("ls %s: %s\n", path, entry->d_name);
    closedir(folder);
}

static void cat(const char *path) {
    char buffer[4096];
    int file = open(path, O_RDONLY);
    if (file < 0) { printf("cat %s: %s\n", path, strerror(errno)); return; }
    ssize_t count;
    while ((count = read(file, buffer, sizeof buffer)) > 0) fwrite(buffer, 1, count, stdout);
    close(file);
}

static void write_to(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT, 0644);
    printf("write %s: %s\n", path, file < 0 ? strerror(errno) : "ok");
    if (file >= 0) close(file);
}

static void link_of(const char *path) {
    char target[256];
    ssize_t count = readlink(path, target, sizeof target - 1);
    printf("link %s: %.*s\n", path, count < 0 ? 0 : (int)count, target);
}

// Sends METHOD BODY to /v1/token and prints the whole answer.
static void ask(const char *method, const char *body) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/run/container_launcher/teeserver.sock"};
    int stream = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(stream, (struct sockaddr *)&name, sizeof name)) { printf("ask: %s\n", strerror(errno)); return; }
    dprintf(stream, "%s /v1/token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
            method, strlen(body), body);
    char buffer[4096];
    ssize_t count;
    while ((count = read(stream, buffer, sizeof buffer)) > 0) fwrite(buffer, 1, count, stdout);
    puts("");
    close(stream);
}

static volatile sig_atomic_t asked;
static void obey(int number) { asked = 1; }

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        const char *next = i + 1 < argc ? argv[i + 1] : "";
        if (!strcmp(argv[i], "ids")) printf("uid %d gid %d pid %d ppid %d\n", getuid(), getgid(), getpid(), getppid());
        else if (!strcmp(argv[i], "namespace")) printf("namespace: %s\n", unshare(CLONE_NEWUSER) ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "session")) printf("session %d\n", getsid(0));
        else if (!strcmp(argv[i], "type")) printf("type: %s\n", ioctl(1, TIOCSTI, "x") ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "env")) for (char **e = environ; *e; e++) printf("env %s\n", *e);
        else if (!strcmp(argv[i], "pwd")) { char path[256]; printf("pwd %s\n", getcwd(path, sizeof path)); }
        else if (!strcmp(argv[i], "setuid")) printf("setuid: %s\n", setuid(0) ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "become")) {
            // Closes /run, gives a new file away, and becomes another user.
            int file = open("/dev/shm/given", O_WRONLY | O_CREAT | O_EXCL, 0400);
            const char *failed = chmod("/run", 0700) ? "chmod" : fchown(file, 65532, 65532) ? "chown"
                : setgid(65532) ? "setgid" : setuid(65532) ? "setuid" : NULL;
            printf("become: %s\n", failed ? failed : "ok");
            close(file);
        }
        else if (!strcmp(argv[i], "mount")) printf("mount: %s\n", mount("x", "/dev/shm", "tmpfs", 0, "") ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "umount")) printf("umount: %s\n", umount2("/proc", MNT_DETACH) ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "stderr")) fprintf(stderr, "said on stderr\n");
        else if (!strcmp(argv[i], "ls")) list(next), i++;
        else if (!strcmp(argv[i], "cat")) cat(next), i++;
        else if (!strcmp(argv[i], "fill")) { for (int n = atoi(next); n > 0; n--) putchar('x'); fflush(stdout); i++; }
        else if (!strcmp(argv[i], "write")) write_to(next), i++;
        else if (!strcmp(argv[i], "chmod")) printf("chmod %s: %s\n", next, chmod(next, 0600) ? strerror(errno) : "ok"), i++;
        else if (!strcmp(argv[i], "touch")) printf("touch %s: %s\n", next, utimensat(AT_FDCWD, next, 0, 0) ? strerror(errno) : "ok"), i++;
        else if (!strcmp(argv[i], "link")) link_of(next), i++;
        else if (!strcmp(argv[i], "get")) ask("GET", "");
        else if (!strcmp(argv[i], "put")) ask("PUT", "");
        else if (!strcmp(argv[i], "post")) ask("POST", next), i++;
        else if (!strcmp(argv[i], "exit")) { fflush(stdout); return atoi(next); }
        else if (!strcmp(argv[i], "signal")) { fflush(stdout); signal(SIGSEGV, SIG_DFL); volatile char *p = 0; *p = 1; }
        else if (!strcmp(argv[i], "untie"))
            printf("untie: %s\n", prctl(PR_SET_PDEATHSIG, 0) ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "tie"))
            printf("tie: %s\n", prctl(PR_SET_PDEATHSIG, SIGKILL) ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "keys"))
            // The ID of the session's keyring: KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING.
            printf("keys: %s\n", syscall(SYS_keyctl, 0, -3, 0) < 0 ? strerror(errno) : "ok");
        else if (!strcmp(argv[i], "wait")) {
            // A child, so that there is more than process 1 to be ended.
            if (!fork()) for (;;) pause();
            puts("waiting"); fflush(stdout);
            for (;;) pause();
        } else if (!strcmp(argv[i], "obey")) {
            // Ends as it is asked to, with a status of its own.
            signal(SIGTERM, obey);
            puts("waiting"); fflush(stdout);
            while (!asked) pause();
            puts("asked to end"); fflush(stdout);
            return 7;
        } else { fprintf(stderr, "no command %s\n", argv[i]); return 99; }
    }
    return 0;
}
