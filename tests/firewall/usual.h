/* The usual list, for tests of what the kernel holds: Jane, an office and a network, on two endpoints. */
#ifndef TEST_FIREWALL_USUAL_H
#define TEST_FIREWALL_USUAL_H

#include "lab.h"

#define E4     HOME4 ":1433"
#define E6     "[" HOME6 "]:1433"
#define JANE   "203.0.113.7"
#define OFFICE "198.51.100.0/24"
#define SQL07  "server.sql07"

static UNUSED struct list usual(instant_t now)
{
	struct list l;

	list_init(&l);
	list_guard_of(&l, "sql07", E4);
	list_guard_of(&l, "sql07", E6);
	list_trust(&l, "10.0.0.0/8", E4, "sql07");
	list_allow(&l, JANE, E4, now + 3600, "acme/acme.jane.doe");
	list_allow(&l, OFFICE, E4, now + 7200, "acme/acme.bob");
	list_allow(&l, "2001:db8:7::/64", E6, now + 1800, "acme/acme.jane.doe");
	return l;
}

static UNUSED void assert_holds(const struct firewall_state *s, const struct list *l, instant_t now)
{
	struct firewall_changes c;

	assert_true(s->present);
	assert_true(s->intact);
	assert_int_equal(firewall_diff(&c, &l->w, s, now), 0);
	if (c.n)
		fail_msg("%zu changes are missing, first: %s", c.n,
			firewall_change_name(c.items[0].kind));
	firewall_changes_free(&c);
}

static UNUSED void table_holds(struct firewall *f, const struct list *l, instant_t now)
{
	struct firewall_state s = observed(f);

	assert_holds(&s, l, now);
	firewall_state_free(&s);
}

/* Counters of elements and of the drop, with real packets: one allowed, one refused. */
static UNUSED void some_packets(void)
{
	int listener = tcp_listen(lab_home, HOME4, PORT);

	assert_true(reaches(lab_away, JANE, HOME4, PORT));
	assert_true(is_refused(lab_away, "203.0.113.99", HOME4, PORT));
	close(listener);
}

static UNUSED int usual_setup(void **state)
{
	int r = lab_setup(state);

	if (lab_ready) {
		lab_person(JANE);
		lab_person("203.0.113.99");
	}
	return r;
}

#endif
