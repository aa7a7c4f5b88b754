package dev.millpond.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAnnotation;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.millpond.server.support.ApiContract;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** The OpenAPI document names what the controllers answer, all of it and nothing else. */
class OpenApiTest {
  private static final List<String> VERBS = List.of("get", "put", "post", "patch", "delete");

  @Test
  void everyMappingOfTheControllersIsInTheDocumentAndTheOtherWayRound() {
    Set<String> mapped = new TreeSet<>();
    new ClassFileImporter()
        .withImportOption(new ImportOption.DoNotIncludeTests())
        .importPackages("dev.millpond.server.http")
        .forEach(type -> type.getMethods().forEach(method -> mapped.addAll(mappings(method))));

    Set<String> documented = new TreeSet<>();
    ApiContract.document()
        .get("paths")
        .forEachEntry((path, item) ->
            VERBS.stream().filter(item::has).forEach(verb -> documented.add(verb + " " + path)));

    assertThat(mapped).hasSizeGreaterThan(40).containsExactlyInAnyOrderElementsOf(documented);
  }

  private static Set<String> mappings(JavaMethod method) {
    Set<String> mappings = new HashSet<>();
    for (JavaAnnotation<JavaMethod> annotation : method.getAnnotations()) {
      String name = annotation.getRawType().getSimpleName();
      if (annotation.getRawType().getPackageName().startsWith("org.springframework.web")
          && name.endsWith("Mapping")) {
        String verb = name.substring(0, name.length() - "Mapping".length());
        for (String path : (String[]) annotation.get("value").orElseThrow()) {
          if (!path.equals("/") && !path.startsWith("/ui")) { // pages
            mappings.add(verb.toLowerCase(Locale.ROOT) + " " + path);
          }
        }
      }
    }
    return mappings;
  }

  @Test
  void itsReferencesLeadSomewhereAndItsOperationsHaveNamesOfTheirOwn() {
    assertThat(ApiContract.danglingReferences()).isEmpty();
    assertThat(ApiContract.document().get("openapi").asString()).isEqualTo("3.1.0");
    List<String> ids =
        ApiContract.document().findValues("operationId").stream()
            .map(JsonNode::asString)
            .collect(Collectors.toList());
    assertThat(ids).hasSizeGreaterThan(40).doesNotHaveDuplicates();
  }
}
