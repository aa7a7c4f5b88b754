/** What a receiver of webhooks needs, with nothing but the JDK. */
@NullMarked
package dev.millpond.examples.webhooks;

import org.jspecify.annotations.NullMarked;
