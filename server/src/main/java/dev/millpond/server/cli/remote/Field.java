package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Age;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/** Reads the members of an answer for people: what is absent is an empty text. */
final class Field {
  private Field() {}

  static String text(JsonNode node, String name) {
    return node.path(name).asString("");
  }

  static Optional<Instant> time(JsonNode node, String name) {
    try {
      String text = text(node, name);
      return text.isEmpty() ? Optional.empty() : Optional.of(Instant.parse(text));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }

  /** How long ago a time was, such as {@code 5m}. */
  static String age(JsonNode node, String name, Instant now) {
    return time(node, name).map(then -> Age.of(then, now)).orElse("");
  }

  /** The time between two members. */
  static String span(JsonNode node, String from, String to) {
    return time(node, from)
        .flatMap(start -> time(node, to).map(end -> Age.span(Duration.between(start, end))))
        .orElse("");
  }

  /** An error as {@code Type: message}, without the packages of its type. */
  static String error(JsonNode node) {
    JsonNode error = node.path("error");
    String type = text(error, "type").replaceFirst("^([A-Za-z0-9_]+\\.)+(?=[A-Za-z_])", "");
    String message = text(error, "message");
    return type.isEmpty() || message.isEmpty() ? type + message : type + ": " + message;
  }
}
