/* bare.c - the least that a server on libmicrohttpd must do to relay: the
 * limit that peerpostd is measured against.
 *
 *	bare PORT
 *
 *	GET /poll?id=N           what has come for N, held until something has
 *	POST /send?to=N&n=COUNT  the body, for COUNT players from N on
 *
 * One thread, one libmicrohttpd daemon on epoll, as its manual shows it.
 * Players are numbers.  Nothing is checked, parsed or kept on disk, and what
 * has been answered is forgotten.
 */
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLAYERS 200000u
#define CONNECTIONS 19900u
/* The daemon can stall when just 128 connections are ready at once; it looks
 * again when this is over. */
#define WAIT_MS 50

struct player {
	char *text; /* what has come, one after the other */
	size_t len, cap;
	struct MHD_Connection *parked; /* its held poll, or NULL */
};

struct request {
	char *body;
	size_t len, cap;
};

static struct player players[MAX_PLAYERS];

static uint32_t
argument(struct MHD_Connection *connection, const char *name)
{
	const char *text = MHD_lookup_connection_value(
	    connection, MHD_GET_ARGUMENT_KIND, name);

	return text ? (uint32_t)strtoul(text, NULL, 10) % MAX_PLAYERS : 0;
}

static void
append(char **text, size_t *len, size_t *cap, const char *more, size_t n)
{
	if (*len + n > *cap) {
		*cap = (*len + n) * 2;
		*text = realloc(*text, *cap);
		if (!*text)
			abort();
	}
	memcpy(*text + *len, more, n);
	*len += n;
}

static enum MHD_Result
answer(
    struct MHD_Connection *connection, unsigned status, char *text, size_t len)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
	    len, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result = MHD_queue_response(
	    connection, status, response);

	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result
poll_run(struct MHD_Connection *connection)
{
	struct player *player = &players[argument(connection, "id")];
	char *text = player->text;
	size_t len = player->len;

	if (len == 0) {
		player->parked = connection;
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	player->parked = NULL;
	player->text = NULL;
	player->len = player->cap = 0;
	return answer(connection, MHD_HTTP_OK, text, len);
}

static enum MHD_Result
send_run(struct MHD_Connection *connection, const struct request *request)
{
	uint32_t to = argument(connection, "to");
	uint32_t n = argument(connection, "n");

	for (uint32_t i = to; i < to + n && i < MAX_PLAYERS; i++) {
		struct player *player = &players[i];

		append(&player->text, &player->len, &player->cap, request->body,
		    request->len);
		if (player->parked)
			MHD_resume_connection(player->parked);
		player->parked = NULL;
	}
	return answer(connection, MHD_HTTP_NO_CONTENT, NULL, 0);
}

static enum MHD_Result
on_request(void *cls, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload, size_t *size,
    void **context)
{
	struct request *request = *context;

	(void)cls;
	(void)url;
	(void)version;
	if (!request) {
		request = calloc(1, sizeof(*request));
		*context = request;
		return request ? MHD_YES : MHD_NO;
	}
	if (*size) {
		append(&request->body, &request->len, &request->cap, upload,
		    *size);
		*size = 0;
		return MHD_YES;
	}
	return method[0] == 'G' ? poll_run(connection) :
				  send_run(connection, request);
}

static void
on_completed(void *cls, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct request *request = *context;

	(void)cls;
	(void)connection;
	(void)code;
	if (request)
		free(request->body);
	free(request);
}

int
main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct MHD_Daemon *daemon;

	if (argc != 2)
		return 2;
	addr.sin_port = htons((uint16_t)strtoul(argv[1], NULL, 10));
	signal(SIGPIPE, SIG_IGN);
	daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
	    NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &addr,
	    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
	    MHD_OPTION_LISTEN_BACKLOG_SIZE, 4096u, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, NULL, MHD_OPTION_END);
	if (!daemon)
		return 1;
	while (MHD_run_wait(daemon, WAIT_MS) == MHD_YES)
		;
	return 1;
}
