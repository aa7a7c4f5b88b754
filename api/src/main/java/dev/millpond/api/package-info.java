/** What a user's code imports: submit jobs, handle them, see how they ended. */
@NullMarked
package dev.millpond.api;

import org.jspecify.annotations.NullMarked;
