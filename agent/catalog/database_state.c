/* Texts for why a database cannot be read. None of them means that it does not exist, or that nobody has access. */
#include "catalog/catalog.h"

const char *database_error_words(int number)
{
	static const struct {
		int number;
		const char *words;
	} errors[] = {
		{911, "the server has no database of this name, or hides it"},
		{916, "the agent login has no user there"},
		{921, "it is being recovered"},
		{922, "it is being recovered"},
		{923, "it is in restricted mode, and the agent login is none of the few who may enter"},
		{924, "it is in single-user mode, and somebody else is connected"},
		{926, "it is suspect"},
		{927, "it is being restored"},
		{942, "it is offline"},
		{945, "some of its files are missing"},
		{952, "it is in transition"},
		{954, "it is a mirror"},
		{955, "its mirroring session has no quorum"},
		{976, "it is a secondary replica that cannot be read"},
		{978, "it is a secondary replica that accepts only read-intent connections"},
		{979, "it is an availability replica that accepts no read-only connections"},
		{982, "it is a secondary replica that cannot be read"},
		{988, "its availability group has no quorum of nodes"},
		{983, "its replica is neither primary nor secondary at the moment"},
		{4060, "it cannot be opened"},
		{1205, "the query was the victim of a deadlock"},
		{1222, "another session holds a lock on its catalog"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].number == number)
			return errors[i].words;
	return NULL;
}

bool database_is_secondary(int number)
{
	static const int numbers[] = {976, 978, 979, 982};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

const char *database_state_words(int state)
{
	static const char *const words[] = {NULL, "it is being restored", "it is being recovered",
		"its recovery waits for files", "it is suspect", "it is in emergency mode",
		"it is offline"};

	return state < 0 || (size_t)state >= ARRAY_SIZE(words) ? "it is not online" : words[state];
}
