package dev.millpond.engine.access;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What a key is for. */
public enum Scope {
  SUBMIT,
  READ,
  OPERATE,
  ADMIN;

  /** As in SQL, JSON and on the command line. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The scope of a word. */
  public static Optional<Scope> of(String word) {
    return Arrays.stream(values()).filter(scope -> scope.word().equals(word)).findFirst();
  }

  public static List<String> words() {
    return Arrays.stream(values()).map(Scope::word).toList();
  }

  /** Whether one of the scopes lets do what needs this one. */
  public boolean in(Set<Scope> scopes) {
    return scopes.contains(this)
        || scopes.contains(ADMIN)
        || (this == READ && scopes.contains(OPERATE));
  }
}
