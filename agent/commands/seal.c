/* Encrypts a command's output for one recipient with age or gpg. */
#include "commands/seal.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FINGERPRINT_CHARS 40
#define WORDS_MOST	  12
#define ARMOR		  "-----BEGIN "

/* gpg accepts a key named by its whole fingerprint whatever its trust. */
static bool is_fingerprint(const char *key)
{
	size_t n = 0;

	while (isxdigit((unsigned char)key[n]))
		n++;
	return n == FINGERPRINT_CHARS && !key[n];
}

static void tool_words(const char *words[WORDS_MOST], const struct cli *cli)
{
	size_t n = 0;

	if (cli->age) {
		const char *const age[] = {"age", "--encrypt", "--armor", "--recipient", cli->age};
		for (; n < ARRAY_SIZE(age); n++)
			words[n] = age[n];
	} else {
		const char *const gpg[] = {"gpg", "--batch", "--quiet", "--no-tty", "--armor",
			"--encrypt", "--recipient", cli->gpg};
		for (; n < ARRAY_SIZE(gpg); n++)
			words[n] = gpg[n];
		if (is_fingerprint(cli->gpg)) {
			words[n++] = "--trust-model";
			words[n++] = "always";
		}
	}
	words[n] = NULL;
}

/* Executes the tool with `in` as standard input and, unless it is -1, `out` as standard output. */
static _Noreturn void tool_run(const struct cli *cli, int in, int out)
{
	const char *words[WORDS_MOST];

	tool_words(words, cli);
	if (dup2(in, STDIN_FILENO) < 0 || (out >= 0 && dup2(out, STDOUT_FILENO) < 0))
		_exit(126);
	execvp(words[0], (char *const *)(uintptr_t)words);
	_exit(127);
}

static int tool_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 126;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

/* Encrypts nothing, to check that the tool is installed and accepts the recipient. */
static int recipient_try(const struct cli *cli)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = null < 0 ? -1 : fork();

	if (pid == 0)
		tool_run(cli, null, null);
	if (null >= 0)
		close(null);
	int code = pid < 0 ? 126 : tool_wait(pid);
	if (code == 127)
		return cli_fail(cli, EXIT_FAILED,
			"nothing done: %s is not installed; run: apt install %s",
			cli->age ? "age" : "gpg", cli->age ? "age" : "gnupg");
	if (code)
		return cli_fail(cli, EXIT_FAILED, "nothing done: cannot encrypt for '%s'; use %s",
			cli->age ? cli->age : cli->gpg,
			cli->age ? "an age recipient (age1... or an SSH key)"
				 : "a key of root's keyring, by its whole fingerprint");
	return 0;
}

int seal_start(struct seal *s, const struct cli *cli)
{
	int ends[2];
	char go;

	*s = (struct seal){.printed = -1, .encrypted = -1};
	if (cli->age && cli->gpg)
		return cli_fail(cli, EXIT_USAGE, "cannot combine --age with --gpg");
	if (cli->mail && !cli->age && !cli->gpg)
		return cli_fail(cli, EXIT_USAGE,
			"--mail requires --age RECIPIENT or --gpg KEY: a password is never mailed unencrypted");
	if (!cli->age && !cli->gpg)
		return 0;
	int code = recipient_try(cli);
	if (code)
		return code;
	s->encrypted = cli->mail ? memfd_create("curfew-sheet", MFD_CLOEXEC) : -1;
	if ((cli->mail && s->encrypted < 0) || pipe2(ends, O_CLOEXEC) < 0)
		return cli_fail(cli, EXIT_FAILED, "%s", strerror(errno));
	s->pid = fork();
	if (s->pid == 0) {
		close(ends[1]);
		/* The parent ended without a sheet, so print nothing. */
		if (read(ends[0], &go, 1) != 1)
			_exit(0);
		tool_run(cli, ends[0], s->encrypted);
	}
	close(ends[0]);
	s->to = ends[1];
	if (s->pid > 0)
		return 0;
	close(s->to);
	s->pid = 0;
	return cli_fail(cli, EXIT_FAILED, "%s", strerror(errno));
}

int seal_open(struct seal *s, const struct cli *cli)
{
	if (!s->pid)
		return 0;
	fflush(stdout);
	/* The tool may end early, which is reported. */
	signal(SIGPIPE, SIG_IGN);
	s->printed = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (s->printed >= 0 && write(s->to, "!", 1) == 1 && dup2(s->to, STDOUT_FILENO) >= 0)
		return 0;
	return cli_fail(cli, EXIT_FAILED, "cannot pass the sheet to the tool that encrypts it: %s",
		strerror(errno));
}

/* Only what begins as an encrypted text does. */
static char *encrypted_read(int from)
{
	off_t size = lseek(from, 0, SEEK_END);
	char *text = size > 0 ? calloc(1, (size_t)size + 1) : NULL;

	if (text && pread(from, text, (size_t)size, 0) == size && strlen(text) == (size_t)size &&
		strncmp(text, ARMOR, strlen(ARMOR)) == 0)
		return text;
	free(text);
	return NULL;
}

int seal_close(struct seal *s, const struct cli *cli)
{
	if (!s->pid)
		return EXIT_FINE;
	/* Standard output is the pipe now, or the pipe was not used. */
	bool opened = s->printed >= 0;
	bool failed = fflush(stdout) != 0 || ferror(stdout);
	/* After an error the stream may still have a part of the sheet in its buffer: never print that. */
	int next = opened && !failed ? s->printed : open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (next >= 0)
		dup2(next, STDOUT_FILENO);
	close(s->to);
	int code = tool_wait(s->pid);
	s->pid = 0;
	if (s->encrypted >= 0 && opened && !failed && !code)
		s->text = encrypted_read(s->encrypted);
	if (!failed && !code && (s->encrypted < 0 || !opened || s->text))
		return EXIT_FINE;
	return cli_fail(cli, EXIT_FAILED,
		"the sheet could not be encrypted and is lost; run the command again: the password that was set is replaced");
}
