/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The page between signing in and where it leads to. Pure. */

#include "base/buf.h"

/** A page that leads on to @next by itself: the navigation is then our own, and cookies go along.
 */
void onward_page_write(struct text next, struct buf *out);
