/* An inventory written by hand: one server, one database, and what a test puts there. */
#ifndef TESTS_INVENTORY_SCENE_H
#define TESTS_INVENTORY_SCENE_H

#include "curfew/inventory.h"

#define SCENE_DAY 86400
#define SCENE_NOW (1000 * (instant_t)SCENE_DAY)

/* Every part was read; the server started, and Query Store began, 200 days ago. */
void scene_begin(struct inventory *v);
void scene_part(struct inventory *v, const char *database, const char *part, enum answer seen,
	instant_t since);
void scene_item(
	struct inventory *v, const char *type, uint64_t id, const char *name, const char *hash);
/* The same with a parent, facts, and a target. */
void scene_item_of(struct inventory *v, const char *type, uint64_t id, uint64_t parent,
	const char *name, const char *hash, const char *facts, const char *target);
/* A constraint or index of table `parent` that depends on a column of table `refers`. */
void scene_dependent(struct inventory *v, const char *type, uint64_t parent, uint64_t refers,
	uint64_t column, const char *name);
void scene_use(struct inventory *v, const char *source, uint64_t id, uint64_t index, instant_t last,
	instant_t written);
void scene_reference(struct inventory *v, const char *how, uint64_t from, uint64_t to,
	const char *database, const char *name);
const struct inventory_item *scene_find(const struct inventory *v, const char *full);
/* A list of `items`: "procedure dbo.p AB" each, NULL at the end. */
void scene_vendor(struct vendor *v, const char *version, const char *const *items);

#endif
