package dev.millpond.engine.dispatch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.engine.ConfigException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PriorityClassesTest {
  @Test
  void theirOrderIsKept() {
    Map<String, Integer> weights = new LinkedHashMap<>();
    weights.put("urgent", 5);
    weights.put("normal", 3);
    weights.put("bulk", 10_000);

    PriorityClasses classes = new PriorityClasses(weights);

    assertThat(classes.names()).containsExactly("urgent", "normal", "bulk");
    assertThat(classes.weight("bulk")).isEqualTo(10_000);
    assertThat(PriorityClasses.DEFAULT.names()).containsExactly("critical", "high", "normal");
  }

  @Test
  void aClassOfOtherProcessesWeighsLeast() {
    assertThat(PriorityClasses.DEFAULT.weight("theirs")).isEqualTo(1);
  }

  @Test
  void whatCannotBeIsRefusedWithKeyValueAndRange() {
    refused(Map.of(), "is \"0\"; allowed: 1 to 16 classes");
    refused(Map.of("normal", 0), "is \"normal=0\"; allowed: weights of 1 to 10000");
    refused(Map.of("normal", 10_001), "is \"normal=10001\"; allowed: weights of 1 to 10000");
    refused(Map.of("Normal", 1), "is \"Normal\"; allowed: names of the form [a-z0-9]");
    refused(Map.of("a:b", 1), "is \"a:b\"; allowed: names of the form [a-z0-9]");
    refused(Map.of("", 1), "is \"\"; allowed: names of the form [a-z0-9]");
    refused(Map.of("high", 1), "is \"[high]\"; allowed: normal among them");
    Map<String, Integer> many = new LinkedHashMap<>(Map.of("normal", 1));
    for (int i = 1; i <= PriorityClasses.MOST; i++) {
      many.put("c" + i, 1);
    }
    refused(many, "is \"17\"; allowed: 1 to 16 classes");
  }

  private static void refused(Map<String, Integer> weights, String why) {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> new PriorityClasses(weights))
        .withMessageStartingWith("millpond.classes " + why);
  }
}
