/* Runs a program where the kernel refuses sockets and new processes: under PROGRAM ARGUMENT...
 *
 * Linux on x86-64 or ARM64. The suite is run with it: every run of the program has to end as it does elsewhere. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(number, how) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | how)

int main(int count, char **arguments) {
    struct sock_filter lines[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        REFUSE(__NR_socket, EACCES),
        REFUSE(__NR_socketpair, EACCES),
        REFUSE(__NR_connect, EACCES),
        REFUSE(__NR_execveat, EACCES),
#ifdef __NR_fork
        REFUSE(__NR_fork, EACCES),
        REFUSE(__NR_vfork, EACCES),
#endif
        /* clone3 hides its flags, and the C library does without it. */
        REFUSE(__NR_clone3, ENOSYS),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof lines / sizeof *lines, lines};
    if (count < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
        perror("under");
        return 125;
    }
    execv(arguments[1], arguments + 1);
    perror(arguments[1]);
    return 126;
}
