/* client.c - see client.h. */
#include "bench/client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define MAX_EVENTS 256
#define SCRATCH_SIZE ((size_t)1 << 20)
#define MAX_RESPONSE ((size_t)64 << 20)
/* Connections from one source address: its ports are few. */
#define PER_SOURCE 20000u

struct client_loop {
	int epoll_fd;
	uint32_t n_opened;
	unsigned n_responses;
	char *scratch; /* SCRATCH_SIZE bytes */
};

int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

struct client_loop *
client_loop_create(void)
{
	struct client_loop *loop = mem_new(sizeof(*loop));

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->scratch = mem_new(SCRATCH_SIZE);
	return loop;
}

void
client_loop_free(struct client_loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll_fd);
	free(loop->scratch);
	free(loop);
}

static void
wait_for(struct client *client, int op, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = client };

	if (epoll_ctl(client->loop->epoll_fd, op, client->fd, &event) < 0)
		abort(); /* out of kernel memory: nothing to measure */
}

bool
client_open(struct client *client, struct client_loop *loop, uint16_t port,
    client_fn on_response, void *cls)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in from = { .sin_family = AF_INET };
	uint32_t source = loop->n_opened++ / PER_SOURCE % 200;
	int on = 1, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return false;
	}
	*client = (struct client){
		.on_response = on_response, .cls = cls, .loop = loop, .fd = fd
	};
	buf_init(&client->in, MAX_RESPONSE);
	buf_init(&client->out, MAX_RESPONSE);
	wait_for(client, EPOLL_CTL_ADD, EPOLLIN);
	return true;
}

void
client_close(struct client *client)
{
	if (!client->loop || client->fd < 0)
		return;
	close(client->fd);
	client->fd = -1;
	client->is_busy = false;
	buf_fini(&client->in);
	buf_fini(&client->out);
}

static void
lose(struct client *client)
{
	client->is_busy = false;
	client->on_response(client, NULL);
	client_close(client);
}

/* What cannot be sent at once is kept; a failure shows when reading. */
void
client_send(struct client *client, struct span request)
{
	ssize_t n;

	assert(!client->is_busy);
	client->is_busy = true;
	n = send(
	    client->fd, request.at, request.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		n = 0;
	if ((size_t)n == request.len)
		return;
	buf_add(&client->out, request.at + n, request.len - (size_t)n);
	wait_for(client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void
send_rest(struct client *client)
{
	struct buf *out = &client->out;
	ssize_t n = send(
	    client->fd, out->data, out->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n <= 0)
		return;
	memmove(out->data, out->data + n, out->len - (size_t)n);
	out->len -= (size_t)n;
	if (out->len == 0)
		wait_for(client, EPOLL_CTL_MOD, EPOLLIN);
}

struct span
response_field(const struct response *response, const char *name)
{
	const char *at = response->head.at, *end = at + response->head.len;
	size_t len = strlen(name);

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		const char *line_end;

		at++;
		if ((size_t)(end - at) <= len || at[len] != ':' ||
		    strncasecmp(at, name, len) != 0)
			continue;
		at += len + 1;
		line_end = memchr(at, '\r', (size_t)(end - at));
		return text_trim((struct span){
		    at, (size_t)((line_end ? line_end : end) - at) });
	}
	return (struct span){ NULL, 0 };
}

/* Decode a chunked body in its place.  Returns its length on the wire, or 0:
 * more of it must come. */
static size_t
decode_chunks(char *at, size_t len, size_t *out_len)
{
	char *in = at, *end = at + len, *out = at;

	for (;;) {
		char *eol = memchr(in, '\n', (size_t)(end - in));
		size_t size;

		if (!eol)
			return 0;
		size = strtoul(in, NULL, 16);
		in = eol + 1;
		if ((size_t)(end - in) < size + 2)
			return 0;
		memmove(out, in, size);
		out += size;
		in += size + 2;
		if (size == 0)
			break;
	}
	*out_len = (size_t)(out - at);
	return (size_t)(in - at);
}

/* Take one response off the front of the bytes.  Returns its length, or 0:
 * more of it must come. */
static size_t
parse(char *at, size_t len, struct response *out)
{
	char *end = len ? memmem(at, len, "\r\n\r\n", 4) : NULL;
	struct span length;
	uint64_t n = 0;
	size_t size;
	char *body;

	if (!end || len < 12)
		return 0;
	body = end + 4;
	out->head = (struct span){ at, (size_t)(end - at) };
	out->status = (unsigned)strtoul(at + 9, NULL, 10);
	out->body = (struct span){ body, 0 };
	if (out->status == 204 || out->status == 304 || out->status < 200)
		return (size_t)(body - at);
	length = response_field(out, "Content-Length");
	if (!length.at) {
		size = decode_chunks(
		    body, len - (size_t)(body - at), &out->body.len);
		return size ? (size_t)(body - at) + size : 0;
	}
	if (!text_to_uint(length, MAX_RESPONSE, &n) ||
	    len - (size_t)(body - at) < n)
		return 0;
	out->body.len = n;
	return (size_t)(body - at) + n;
}

/* Hand a response over, if it is whole.  Returns how much it was. */
static size_t
deliver(struct client *client, char *at, size_t len)
{
	struct response response;
	size_t used = parse(at, len, &response);

	if (used == 0)
		return 0;
	client->is_busy = false;
	client->loop->n_responses++;
	client->on_response(client, &response);
	return used;
}

/* What is left stays for the next bytes.  Only one request is ever under way,
 * so what follows a response is not a response, and an error. */
static void
receive(struct client *client)
{
	struct client_loop *loop = client->loop;
	ssize_t n = recv(client->fd, loop->scratch, SCRATCH_SIZE, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !client->is_busy) {
		lose(client);
		return;
	}
	if (client->in.len == 0) {
		if (!deliver(client, loop->scratch, (size_t)n))
			buf_add(&client->in, loop->scratch, (size_t)n);
		return;
	}
	buf_add(&client->in, loop->scratch, (size_t)n);
	if (deliver(client, client->in.data, client->in.len))
		buf_fini(&client->in);
}

unsigned
client_loop_run(struct client_loop *loop, int timeout_ms)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(loop->epoll_fd, events, MAX_EVENTS, timeout_ms);

	loop->n_responses = 0;
	for (int i = 0; i < n; i++) {
		struct client *client = events[i].data.ptr;

		/* One that an earlier event has closed. */
		if (client->fd < 0)
			continue;
		if (events[i].events & EPOLLOUT)
			send_rest(client);
		if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			receive(client);
	}
	return loop->n_responses;
}
