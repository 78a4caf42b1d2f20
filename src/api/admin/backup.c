/* backup.c - see backup.h. */
#include "api/admin/backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include "api/reply.h"
#include "base/log.h"

#define STEP_PAGES 64 /* 256 KiB: some millisecond, on a busy machine */
#define WHY_SIZE 512

enum err
backup_run(struct turn *turn, struct request *request)
{
	if (turn->is_draining) {
		request_fail(request, NULL, ERR_SHUTTING_DOWN);
		return ERR_NONE;
	}
	if (turn->backup) {
		admin_fail(request, 409, "backup-running",
		    "Another backup is being made.");
		return ERR_NONE;
	}
	/* Not begun before the transaction has ended, see backup_work(). */
	turn->backup = request;
	turn->has_begun_backup = false;
	request->is_held = true;
	return ERR_NONE;
}

static void
end(struct turn *turn)
{
	struct request *request = turn->backup;

	turn->backup = NULL;
	request->is_held = false;
	turn_finish(turn, request);
}

static void
fail(struct turn *turn, const char *why)
{
	log_error("backup: %s", why);
	admin_fail(turn->backup, 503, "storage", why);
	end(turn);
}

static void
succeed(struct turn *turn, int fd)
{
	struct reply *reply = &turn->backup->reply;
	struct stat status;

	if (fstat(fd, &status) < 0) { /* not with a descriptor that is open */
		close(fd);
		fail(turn, "the copy cannot be read");
		return;
	}
	request_reset_reply(turn->backup);
	reply->status = 200;
	reply->type = REPLY_FILE;
	reply->media = "application/vnd.sqlite3";
	reply->fd = fd;
	reply->fd_size = (uint64_t)status.st_size;
	log_info(
	    "backup: %llu bytes copied", (unsigned long long)reply->fd_size);
	end(turn);
}

void
backup_work(struct turn *turn)
{
	struct store *store = turn->world->store;
	char why[WHY_SIZE];
	enum err err = ERR_NONE;
	int fd = -1;

	if (!turn->backup)
		return;
	if (!turn->has_begun_backup)
		err = store->backup_begin(store, why, sizeof(why));
	turn->has_begun_backup = true;
	if (!err)
		err = store->backup_step(
		    store, STEP_PAGES, &fd, why, sizeof(why));
	if (err)
		fail(turn, why);
	else if (fd >= 0)
		succeed(turn, fd);
}

void
backup_cancel(struct turn *turn)
{
	if (!turn->backup)
		return;
	turn->world->store->backup_abort(turn->world->store);
	log_info("backup: aborted");
	request_fail(turn->backup, NULL, ERR_SHUTTING_DOWN);
	end(turn);
}
