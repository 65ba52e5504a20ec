/* SPDX-License-Identifier: Apache-2.0 */
#include "model/recorrelation.h"

const char *change_kind_name(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_SAME_NUMBER:
		return "changed";
	case CHANGE_NEW:
		return "new";
	case CHANGE_GONE:
		return "gone";
	}
	return "";
}

const char *recorrelation_state_name(enum recorrelation_state state)
{
	switch (state) {
	case RECORRELATION_RUNNING:
		return "running";
	case RECORRELATION_DONE:
		return "done";
	case RECORRELATION_FAILED:
		return "failed";
	}
	return "";
}
