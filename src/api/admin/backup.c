/* backup.c - see backup.h. */
#include "api/admin/backup.h"

#include <sys/stat.h>
#include <unistd.h>

#include "api/reply.h"
#include "base/log.h"

#define STEP_PAGES 64 /* 256 KiB: about a millisecond on a busy machine */
#define WHY_SIZE 512

enum err
backup_run(struct transaction *txn, struct request *request)
{
	if (txn->is_draining) {
		reply_fail_as(request, NULL, ERR_SHUTTING_DOWN);
		return ERR_NONE;
	}
	if (txn->backup) {
		reply_fail_admin(request, 409, "backup-running",
		    "Another backup is being made.");
		return ERR_NONE;
	}
	/* Not begun before the transaction has ended, see backup_work(). */
	txn->backup = request;
	txn->has_begun_backup = false;
	request->is_held = true;
	return ERR_NONE;
}

static void
end(struct transaction *txn)
{
	struct request *request = txn->backup;

	txn->backup = NULL;
	request->is_held = false;
	transaction_finish(txn, request);
}

static void
fail(struct transaction *txn, const char *why)
{
	log_error("backup: %s", why);
	reply_fail_admin(txn->backup, 503, "storage", why);
	end(txn);
}

static void
succeed(struct transaction *txn, int fd)
{
	struct reply *reply = &txn->backup->reply;
	struct stat status;

	if (fstat(fd, &status) < 0) { /* cannot fail on an open descriptor */
		close(fd);
		fail(txn, "the copy cannot be read");
		return;
	}
	request_reset_reply(txn->backup);
	reply->status = 200;
	reply->type = REPLY_FILE;
	reply->media = "application/vnd.sqlite3";
	reply->fd = fd;
	reply->fd_size = (uint64_t)status.st_size;
	log_info(
	    "backup: %llu bytes copied", (unsigned long long)reply->fd_size);
	end(txn);
}

void
backup_work(struct transaction *txn)
{
	struct store *store = txn->world->store;
	char why[WHY_SIZE];
	enum err err = ERR_NONE;
	int fd = -1;

	if (!txn->backup)
		return;
	if (!txn->has_begun_backup)
		err = store->backup_begin(store, why, sizeof(why));
	txn->has_begun_backup = true;
	if (!err)
		err = store->backup_step(
		    store, STEP_PAGES, &fd, why, sizeof(why));
	if (err)
		fail(txn, why);
	else if (fd >= 0)
		succeed(txn, fd);
}

void
backup_cancel(struct transaction *txn)
{
	if (!txn->backup)
		return;
	txn->world->store->backup_abort(txn->world->store);
	log_info("backup: aborted");
	reply_fail_as(txn->backup, NULL, ERR_SHUTTING_DOWN);
	end(txn);
}
