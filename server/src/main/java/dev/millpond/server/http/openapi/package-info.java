/** The description of the API for machines. */
@NullMarked
package dev.millpond.server.http.openapi;

import org.jspecify.annotations.NullMarked;
