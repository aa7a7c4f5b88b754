/** What the campaign knows by itself: the client's journal and the ledger of runs. */
@NullMarked
package dev.millpond.chaos.journal;

import org.jspecify.annotations.NullMarked;
