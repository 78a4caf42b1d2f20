/* manager.c - plays a service manager for tests: it opens sockets, starts a
 * program that inherits them, and hears what the program has to say.
 *
 *	manager [NAME=ADDRESS]... -- PROGRAM ARGUMENT...
 *
 * ADDRESS: "PORT" of 127.0.0.1 (0: any), "*PORT" of 0.0.0.0, "/path" of a Unix
 * socket, "@name" of an abstract one; "udp" for a socket that cannot be listened
 * on.  An empty NAME means that nothing is said of names.  $MANAGER_NOTIFY is where the
 * program is to send its messages ("/path" or "@name"); without it, it is not
 * told to send any.
 *
 * Commands come by stdin, one a line: "start", or the number of a signal for
 * the program.  Its end is the end of the program as well.  What happens goes
 * to stdout, one line each:
 *
 *	socket NAME ADDRESS	it listens
 *	started PID
 *	notify PID TEXT		line feeds are shown as "|"
 *	exited STATUS		or "killed SIGNAL"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SOCKETS 64
#define FIRST_FD 3

static int sockets[MAX_SOCKETS];
static size_t n_sockets;
static char names[1024];
static bool has_names;
static char **program;
static pid_t child;

static void
die(const char *what)
{
	fprintf(stderr, "manager: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A Unix socket, bound; "@" for an abstract one. */
static int
bind_unix(const char *path, int type)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (len >= sizeof(addr.sun_path))
		errno = ENAMETOOLONG, die(path);
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	if (bind(fd, (const struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		die(path);
	return fd;
}

static int
bind_inet(const char *port, int type, unsigned *out_port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port + (port[0] == '*'))),
		.sin_addr.s_addr = htonl(
		    port[0] == '*' ? INADDR_ANY : INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	if (bind(fd, (const struct sockaddr *)&addr, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		die(port);
	*out_port = ntohs(addr.sin_port);
	return fd;
}

/* NAME=ADDRESS */
static void
open_socket(char *text)
{
	char *address = strchr(text, '=');
	unsigned port = 0;
	int fd;

	if (!address || n_sockets == MAX_SOCKETS)
		errno = EINVAL, die(text);
	*address++ = '\0';
	if (strcmp(address, "udp") == 0) {
		fd = bind_inet("0", SOCK_DGRAM, &port);
	} else {
		fd = strpbrk(address, "/@") ?
		    bind_unix(address, SOCK_STREAM) :
		    bind_inet(address, SOCK_STREAM, &port);
		if (listen(fd, 4096) < 0)
			die(address);
	}
	if (port)
		printf("socket %s %u\n", text, port);
	else
		printf("socket %s %s\n", text, address);
	has_names |= text[0] != '\0';
	if (n_sockets)
		strcat(names, ":");
	strncat(names, text, 32 - 1);
	sockets[n_sockets++] = fd;
}

static void
set_number(const char *variable, long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", value);
	setenv(variable, text, 1);
}

/* In the child: as systemd does it. */
static void
become_program(void)
{
	const char *notify = getenv("MANAGER_NOTIFY");
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Out of the way of the numbers that they are to have. */
	for (size_t i = 0; i < n_sockets; i++)
		sockets[i] = fcntl(sockets[i], F_DUPFD, FIRST_FD + MAX_SOCKETS);
	for (size_t i = 0; i < n_sockets; i++) {
		dup2(sockets[i], FIRST_FD + (int)i);
		close(sockets[i]);
	}
	if (n_sockets) {
		set_number("LISTEN_PID", getpid());
		set_number("LISTEN_FDS", (long long)n_sockets);
		if (has_names)
			setenv("LISTEN_FDNAMES", names, 1);
	}
	if (notify)
		setenv("NOTIFY_SOCKET", notify, 1);
	if (getenv("WATCHDOG_USEC"))
		set_number("WATCHDOG_PID", getpid());
	unsetenv("MANAGER_NOTIFY");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program[0], program);
	die(program[0]);
}

static void
start(void)
{
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0)
		become_program();
	printf("started %d\n", (int)child);
}

/* false: it is the end. */
static bool
run_commands(void)
{
	char text[256];
	ssize_t len = read(STDIN_FILENO, text, sizeof(text) - 1);

	if (len <= 0)
		return false;
	text[len] = '\0';
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strcmp(line, "start") == 0)
			start();
		else if (child)
			kill(child, atoi(line));
	}
	return true;
}

static void
hear(int fd)
{
	char text[4096], control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec part = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	ssize_t len = recvmsg(fd, &message, 0);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	struct ucred sender = { .pid = 0 };

	if (len < 0)
		die("recvmsg");
	if (header && header->cmsg_type == SCM_CREDENTIALS)
		memcpy(&sender, CMSG_DATA(header), sizeof(sender));
	text[len] = '\0';
	for (char *at = text; (at = strchr(at, '\n')) != NULL;)
		*at = '|';
	printf("notify %d %s\n", (int)sender.pid, text);
}

static void
reap(int fd)
{
	struct signalfd_siginfo info;
	int status;

	if (read(fd, &info, sizeof(info)) < 0 ||
	    waitpid(child, &status, WNOHANG) != child)
		return;
	child = 0;
	if (WIFSIGNALED(status))
		printf("killed %d\n", WTERMSIG(status));
	else
		printf("exited %d\n", WEXITSTATUS(status));
}

int
main(int argc, char **argv)
{
	const char *notify = getenv("MANAGER_NOTIFY");
	struct pollfd fds[3] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
		{ .fd = -1, .events = POLLIN } };
	sigset_t set;
	int on = 1, i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		open_socket(argv[i]);
	if (i + 1 >= argc)
		errno = EINVAL, die("no program");
	program = argv + i + 1;
	if (notify) {
		fds[1].fd = bind_unix(notify, SOCK_DGRAM);
		setsockopt(fds[1].fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fds[2].fd = signalfd(-1, &set, SFD_CLOEXEC);
	for (;;) {
		if (poll(fds, 3, -1) < 0)
			die("poll");
		/* What a program said last comes before its end. */
		if (fds[1].revents)
			hear(fds[1].fd);
		else if (fds[2].revents)
			reap(fds[2].fd);
		else if (fds[0].revents && !run_commands())
			return 0;
	}
}
