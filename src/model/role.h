/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Stored: numbers never change. A greater role may all that a smaller one may, but source stands
 * alone. */
enum role {
	ROLE_SOURCE = 1,
	ROLE_VIEWER = 2,
	ROLE_ANALYST = 3,
	ROLE_RESPONDER = 4,
	ROLE_ADMIN = 5
};
