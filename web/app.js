// SPDX-License-Identifier: Apache-2.0
// The console's one entry: everything else is imported from here.
