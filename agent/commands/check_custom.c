/* Go-lives that are near and find customizations that are unused or undecided. */
#include "commands/preview_files.h"
#include "curfew/client_samples.h"
#include "curfew/progress.h"
#include "curfew/state.h"

static int client_print(const struct program *p, const struct client *c, struct journal *j,
	instant_t now, const struct check_out *to)
{
	struct samples samples = {0};
	struct progress progress = {0};
	char words[TALLY_WORDS_MAX];
	int rc = client_tallies_read(&samples, j, p, c);

	if (!rc)
		rc = progress_make(&progress, &samples, NULL);
	samples_free(&samples);
	const struct sample_tally *last = progress_last(&progress);
	if (!rc && last && tally_is_urgent(last, c, now))
		check_out_tell(to, SEVERITY_ADVICE, c->file,
			"client %s: %s; run `curfew inventory %s`", c->name,
			tally_words(words, last, c, now), c->name);
	progress_free(&progress);
	return rc;
}

int custom_print(const struct cli *cli, const struct program *p, const struct check_out *to)
{
	struct journal *j = NULL;
	instant_t now;
	int rc = 0;

	/* Says nothing to a user who may not read the state. */
	if (cli_enter(cli, p->settings.state_directory, p) ||
		state_journal_open(&j, &p->settings, false))
		return 0;
	int code = cli_now(&now, cli, p, NULL);
	for (size_t i = 0; i < p->n_clients && !rc && !code; i++)
		rc = client_print(p, &p->clients[i], j, now, to);
	journal_close(j);
	return rc ? cli_fail(cli, EXIT_FAILED,
			    "cannot read the samples of use from the journal: %s",
			    journal_problem(rc))
		  : code;
}
