package dev.millpond.server.http.access;

import dev.millpond.engine.access.Scope;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;

/**
 * Checks what a handler needs once Spring has chosen it: there is no other reading of the path than
 * Spring's. What is no method, such as the files of pages, holds nothing of anybody's.
 */
public final class NeedsCheck implements HandlerInterceptor {
  private final Callers callers;

  public NeedsCheck(Callers callers) {
    this.callers = callers;
  }

  @Override
  public boolean preHandle(
      HttpServletRequest request, HttpServletResponse response, Object handler) {
    if (callers.local()
        || !(handler instanceof HandlerMethod method)
        || method.hasMethodAnnotation(NeedsNoKey.class)) {
      return true;
    }
    Needs needs = method.getMethodAnnotation(Needs.class);
    if (needs == null) {
      needs = AnnotationUtils.findAnnotation(method.getBeanType(), Needs.class);
    }
    Caller.of(request).need(needs == null ? Scope.ADMIN : needs.value());
    return true;
  }
}
