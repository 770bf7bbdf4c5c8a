/* curfew credential SERVER: asks for the agent login's password without showing it, and writes it to a file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "commands/command.h"
#include "curfew/secret.h"
#include "program/visible_text.h"

/* Reads a line without echo; signals wait until the terminal is restored. 0 or negative errno. */
static int line_read(char *out, const char *question)
{
	struct termios before, silent;
	sigset_t held, old;
	int rc = 0;

	sigfillset(&held);
	sigprocmask(SIG_BLOCK, &held, &old);
	if (tcgetattr(STDIN_FILENO, &before) < 0) {
		rc = -errno;
	} else {
		silent = before;
		silent.c_lflag &= ~(tcflag_t)ECHO;
		/* Discard input that was typed before the question: an answer to it is neither shown nor lost. */
		if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) < 0)
			rc = -errno;
		else
			fprintf(stderr, "%s", question);
		ssize_t n = rc ? 0 : read(STDIN_FILENO, out, SECRET_BYTES - 1);
		if (n < 0)
			rc = -errno;
		if (!rc && (n < 1 || out[n - 1] != '\n'))
			rc = n < 1 ? -ECANCELED : -E2BIG;
		if (!rc)
			out[n - 1] = '\0';
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	}
	fputc('\n', stderr);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static int password_ask(char *out, char *again, const struct cli *cli, const struct server *s)
{
	char question[300];

	snprintf(question, sizeof(question), "Password of the agent login on %s: ", s->name);
	int rc = line_read(out, question);
	if (!rc)
		rc = line_read(again, "The same again: ");
	if (rc)
		return cli_fail(cli, EXIT_FAILED, "nothing written: %s", strerror(-rc));
	if (!*out)
		return cli_fail(cli, EXIT_USAGE,
			"nothing written: the password is empty; enter the password of the agent login");
	if (!streq(out, again))
		return cli_fail(cli, EXIT_USAGE,
			"nothing written: the two passwords differ; run the command again");
	const char *fault = secret_line(out, strlen(out), SECRET_SQL);
	return fault ? cli_fail(cli, EXIT_USAGE, "nothing written: the password %s", fault) : 0;
}

static int whole_write(int fd, const char *text)
{
	for (size_t n = strlen(text), done = 0; done < n;) {
		ssize_t k = write(fd, text + done, n - done);
		if (k < 0)
			return -errno;
		done += (size_t)k;
	}
	return write(fd, "\n", 1) == 1 && fsync(fd) == 0 ? 0 : -errno;
}

/* Writes a new file and renames it, so that readers see the old or the new one. */
static int file_write(const char *path, const char *password)
{
	_cleanup_free_ char *beside = NULL;

	if (asprintf(&beside, "%s.new", path) < 0) {
		beside = NULL;
		return -ENOMEM;
	}
	unlink(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	int rc = fchmod(fd, 0600) < 0 ? -errno : whole_write(fd, password);
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(beside, path) < 0)
		rc = -errno;
	if (rc)
		unlink(beside);
	return rc;
}

static int credential_write(const struct cli *cli, const struct settings *s,
	const struct server *server, const char *password)
{
	char path[4096];

	/* The path that the service uses. */
	if (settings_credential(path, s, server->credential))
		return cli_fail(cli, EXIT_FAILED, "%s: name too long", s->credential_directory);
	if (mkdir(s->credential_directory, 0700) < 0 && errno != EEXIST)
		return cli_fail(cli, EXIT_FAILED, "cannot make %s: %s", s->credential_directory,
			strerror(errno));
	int rc = file_write(path, password);
	if (rc)
		return cli_fail(
			cli, EXIT_FAILED, "cannot write %s: %s; run as root", path, strerror(-rc));
	text_printf(stdout,
		"written to %s, mode 0600; a running service has it after `systemctl restart curfew`\n",
		path);
	return 0;
}

/* Remains root, whose file it writes: a file with errors, such as the missing credential itself, would otherwise be
 * replaced by the last known good version, which only the service's user reads. */
static int program_read(struct program **out, const struct cli *cli)
{
	struct problems problems = {0};
	int rc = program_load(out, &problems, cli->config, (instant_t)time(NULL));
	int code = rc ? cli_fail(cli, EXIT_FAILED, "cannot read %s: %s", cli->config, strerror(-rc))
		      : 0;

	if (!code && (problems.fatal || !*out)) {
		problems_print(&problems, stderr);
		code = cli_fail(cli, EXIT_CONFIG, "nothing done: %s has errors", cli->config);
	}
	problems_free(&problems);
	return code;
}

static int run(struct cli *cli)
{
	const struct server *server = NULL;
	struct program *p = NULL;
	int code =
		isatty(STDIN_FILENO)
			? program_read(&p, cli)
			: cli_fail(cli, EXIT_USAGE,
				  "standard input is not a terminal; to write the file yourself, see curfew.conf(5)");
	char *password = code ? NULL : sodium_malloc(2 * SECRET_BYTES);

	if (!code)
		code = cli_server(&server, cli, p);
	if (!code && !password)
		code = cli_fail(cli, EXIT_FAILED, "%s", strerror(ENOMEM));
	if (!code && password && server)
		code = password_ask(password, password + SECRET_BYTES, cli, server);
	if (!code && password && p && server)
		code = credential_write(cli, &p->settings, server, password);
	sodium_free(password);
	program_free(p);
	return code;
}

const struct command command_credential = {
	.name = "credential",
	.operands = "SERVER",
	.min_operands = 1,
	.max_operands = 1,
	.summary = "Ask for the agent login's password and write its file",
	.help = "Asks twice, without showing what is typed, and writes the server's credential file with mode 0600. Nothing else\n"
		"stores the password. Needs a terminal, and root.\n",
	.run = run,
};
