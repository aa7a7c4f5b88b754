package dev.millpond.server.cli;

import dev.millpond.server.config.ConfigKey;
import java.util.Set;

/** A command that takes configuration keys as flags. */
interface ConfiguredCommand {
  Set<ConfigKey> keys();
}
