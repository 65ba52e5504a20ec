/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Small integers for values that repeat: rules, images, processes, entities, fingerprints … A
 * bounded cache stands before the tables; after a rollback it must be forgotten. The writer's.
 *
 * Images, processes, ATT&CK sets, entities and workloads leave (store/intern_expiry.h). Their rows
 * say in which epoch of leaves an alert referred to them last; the first use in an epoch writes it,
 * and by that finds out whether the row is still there.
 */

#include "model/alert.h"
#include "store/connection.h"

struct interns;

enum { INTERN_EPOCH_BITS = 16 };

/** NULL without memory. An epoch has 2^@epoch_bits leaves; 0: INTERN_EPOCH_BITS. */
struct interns *interns_new(unsigned epoch_bits);
unsigned interns_epoch_bits(const struct interns *interns);
void interns_free(struct interns *interns);
void interns_forget(struct interns *interns);

/* What one alert's row refers to. */
struct interned {
	int64_t sensor, rule, image, process, origin, attack, fingerprint, entity;
};

/** Interns everything of @alert. ERR_LIMIT when there would be more than 63 sensors. */
CHECKED int interns_alert(struct interns *interns, struct connection *connection,
	const struct alert *alert, uint64_t credential, struct interned *out, struct err *err);

/** Who sent it. */
CHECKED int interns_origin(struct interns *interns, struct connection *connection,
	const struct alert *alert, uint64_t credential, int64_t *out, struct err *err);

/** The stream of a source's blocks; class 0 is ordinary. */
CHECKED int interns_stream(struct interns *interns, struct connection *connection,
	enum source source, int64_t *out, struct err *err);
