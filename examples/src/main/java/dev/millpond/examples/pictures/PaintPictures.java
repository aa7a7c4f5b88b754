package dev.millpond.examples.pictures;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.Path2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.random.RandomGenerator;
import javax.imageio.ImageIO;

/**
 * Paints the pictures under {@code src/main/resources/pictures}. They were made by this program,
 * seed and all, so they are the project's own. Its argument: the folder to write to.
 */
public final class PaintPictures {
  private static final long SEED = 20_261_122;

  private PaintPictures() {}

  /** Color of a pixel, as 0xRRGGBB. */
  @FunctionalInterface
  private interface Shader {
    int color(int x, int y);
  }

  /** Draws on a picture. */
  @FunctionalInterface
  private interface Drawing {
    void draw(Graphics2D graphics, int width, int height, RandomGenerator random);
  }

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("Usage: PaintPictures FOLDER");
      System.exit(2);
    }
    Path folder = Files.createDirectories(Path.of(args[0]));
    save(folder, "mandelbrot.png", shade(900, 600, mandelbrot(900, 600)));
    save(folder, "julia.jpg", shade(1280, 800, julia(1280, 800)));
    save(folder, "clouds.jpg", shade(1600, 1000, noise(120, 0x3a6ea5, 0xffffff)));
    save(folder, "marble.png", shade(400, 400, noise(40, 0x20201c, 0xe8dcc4)));
    save(folder, "waves.jpg", shade(640, 640, waves()));
    save(folder, "cells.png", shade(720, 480, cells(720, 480)));
    save(folder, "sky.jpg", draw(1920, 1080, PaintPictures::hills));
    save(folder, "dunes.jpg", draw(800, 1200, PaintPictures::hills));
    save(folder, "spirograph.png", draw(800, 800, PaintPictures::spirograph));
    save(folder, "letter.png", draw(850, 1100, PaintPictures::letter));
    save(folder, "fern.png", draw(480, 720, PaintPictures::fern));
    save(folder, "stars.jpg", draw(1024, 768, PaintPictures::stars));
  }

  private static BufferedImage shade(int width, int height, Shader shader) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, shader.color(x, y));
      }
    }
    return image;
  }

  private static BufferedImage draw(int width, int height, Drawing drawing) {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    drawing.draw(graphics, width, height, new Random(SEED + height));
    graphics.dispose();
    return image;
  }

  private static void save(Path folder, String name, BufferedImage image) throws IOException {
    Path file = folder.resolve(name);
    if (!ImageIO.write(image, name.substring(name.lastIndexOf('.') + 1), file.toFile())) {
      throw new IOException("no writer for " + file);
    }
    System.out.printf(
        "%s %dx%d %d bytes%n", name, image.getWidth(), image.getHeight(), Files.size(file));
  }

  private static Shader mandelbrot(int width, int height) {
    return (x, y) ->
        escape(0, 0, -2.2 + 3.0 * x / width, -1.0 + 2.0 * y / height, 0x0b1d3a, 0xffc857);
  }

  private static Shader julia(int width, int height) {
    return (x, y) ->
        escape(
            -1.6 + 3.2 * x / width, -1.0 + 2.0 * y / height, -0.7269, 0.1889, 0x2b0f2f, 0xf26b38);
  }

  /** Color by the number of steps after which z*z + c leaves the circle of radius 2. */
  private static int escape(double re, double im, double cRe, double cIm, int from, int to) {
    int limit = 160;
    for (int step = 0; step < limit; step++) {
      double square = re * re - im * im + cRe;
      im = 2 * re * im + cIm;
      re = square;
      if (re * re + im * im > 4) {
        return mix(from, to, Math.sqrt((double) step / limit));
      }
    }
    return 0;
  }

  /** Six octaves of value noise. */
  private static Shader noise(double scale, int from, int to) {
    return (x, y) -> {
      double sum = 0;
      double weight = 0.5;
      double step = scale;
      for (int octave = 0; octave < 6; octave++) {
        sum += weight * valueNoise(x / step, y / step, octave);
        weight /= 2;
        step /= 2;
      }
      return mix(from, to, Math.clamp(1.6 * sum - 0.3, 0, 1));
    };
  }

  private static double valueNoise(double x, double y, int octave) {
    int left = (int) Math.floor(x);
    int top = (int) Math.floor(y);
    double fx = smooth(x - left);
    double fy = smooth(y - top);
    double upper = (1 - fx) * lattice(left, top, octave) + fx * lattice(left + 1, top, octave);
    double lower =
        (1 - fx) * lattice(left, top + 1, octave) + fx * lattice(left + 1, top + 1, octave);
    return (1 - fy) * upper + fy * lower;
  }

  private static double smooth(double t) {
    return t * t * (3 - 2 * t);
  }

  private static double lattice(int x, int y, int octave) {
    int hash = x * 374_761_393 + y * 668_265_263 + octave * 974_711;
    hash = (hash ^ (hash >>> 13)) * 1_274_126_177;
    return ((hash ^ (hash >>> 16)) & 0xffff) / 65_535.0;
  }

  private static Shader waves() {
    return (x, y) -> {
      double a = Math.sin(Math.hypot(x - 160, y - 200) / 14);
      double b = Math.sin(Math.hypot(x - 480, y - 420) / 18);
      return mix(0x012a36, 0xa8d5ba, (a + b + 2) / 4);
    };
  }

  private static Shader cells(int width, int height) {
    RandomGenerator random = new Random(SEED);
    int[][] seeds = new int[60][];
    for (int i = 0; i < seeds.length; i++) {
      seeds[i] =
          new int[] {random.nextInt(width), random.nextInt(height), random.nextInt(0x1000000)};
    }
    return (x, y) -> {
      int[] nearest = seeds[0];
      for (int[] seed : seeds) {
        if (Math.hypot(seed[0] - x, seed[1] - y) < Math.hypot(nearest[0] - x, nearest[1] - y)) {
          nearest = seed;
        }
      }
      return nearest[2];
    };
  }

  private static void hills(Graphics2D graphics, int width, int height, RandomGenerator random) {
    graphics.setPaint(
        new GradientPaint(0, 0, new Color(0xfde8c9), 0, height * 0.7f, new Color(0xe07a5f)));
    graphics.fillRect(0, 0, width, height);
    graphics.setColor(new Color(0xfff3d6));
    graphics.fillOval(width * 3 / 5, height / 4, width / 9, width / 9);
    for (int ridge = 0; ridge < 6; ridge++) {
      Path2D path = new Path2D.Double();
      double base = height * (0.5 + 0.09 * ridge);
      double phase = random.nextDouble(Math.TAU);
      path.moveTo(0, height);
      for (int x = 0; x <= width; x += 4) {
        double y = Math.sin(phase + x * (2.5 + ridge) / width) + 0.4 * Math.sin(phase + x / 37.0);
        path.lineTo(x, base + y * height * 0.04);
      }
      path.lineTo(width, height);
      path.closePath();
      graphics.setColor(new Color(mix(0xb5838d, 0x22223b, ridge / 5.0)));
      graphics.fill(path);
    }
  }

  private static void spirograph(
      Graphics2D graphics, int width, int height, RandomGenerator random) {
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, width, height);
    graphics.setStroke(new BasicStroke(1.2f));
    for (int curve = 0; curve < 4; curve++) {
      double outer = 380;
      double inner = 60 + random.nextInt(150);
      double pen = 40 + random.nextInt(110);
      Path2D path = new Path2D.Double();
      for (int i = 0; i <= 6_000; i++) {
        double t = i / 25.0;
        double ratio = (outer - inner) / inner;
        double x = width / 2.0 + (outer - inner) * Math.cos(t) + pen * Math.cos(ratio * t);
        double y = height / 2.0 + (outer - inner) * Math.sin(t) - pen * Math.sin(ratio * t);
        if (i == 0) {
          path.moveTo(x, y);
        } else {
          path.lineTo(x, y);
        }
      }
      graphics.setColor(Color.getHSBColor(random.nextFloat(), 0.7f, 0.7f));
      graphics.draw(path);
    }
  }

  private static void letter(Graphics2D graphics, int width, int height, RandomGenerator random) {
    graphics.setColor(new Color(0xfbfaf5));
    graphics.fillRect(0, 0, width, height);
    graphics.setColor(new Color(0x222222));
    graphics.setFont(new Font(Font.SERIF, Font.BOLD, 34));
    graphics.drawString("On the mill pond", 90, 120);
    graphics.setFont(new Font(Font.SERIF, Font.PLAIN, 21));
    String[] words = {
      "the", "water", "waits", "behind", "the", "gate", "until", "the", "wheel", "has", "room",
      "and", "no", "drop", "of", "it", "is", "lost", "when", "one", "wheel", "stops"
    };
    int y = 180;
    while (y < height - 90) {
      StringBuilder line = new StringBuilder();
      while (line.length() < 62) {
        line.append(words[random.nextInt(words.length)]).append(' ');
      }
      graphics.drawString(line.toString(), 90, y);
      y += 32;
    }
  }

  /** Barnsley's fern: an iterated function system (M. Barnsley, Fractals Everywhere, 1988). */
  private static void fern(Graphics2D graphics, int width, int height, RandomGenerator random) {
    graphics.setColor(new Color(0xf4f1de));
    graphics.fillRect(0, 0, width, height);
    graphics.setColor(new Color(0x2d6a4f));
    double x = 0;
    double y = 0;
    for (int i = 0; i < 120_000; i++) {
      double pick = random.nextDouble();
      double nextX;
      if (pick < 0.01) {
        nextX = 0;
        y = 0.16 * y;
      } else if (pick < 0.86) {
        nextX = 0.85 * x + 0.04 * y;
        y = -0.04 * x + 0.85 * y + 1.6;
      } else if (pick < 0.93) {
        nextX = 0.2 * x - 0.26 * y;
        y = 0.23 * x + 0.22 * y + 1.6;
      } else {
        nextX = -0.15 * x + 0.28 * y;
        y = 0.26 * x + 0.24 * y + 0.44;
      }
      x = nextX;
      graphics.fillRect(
          (int) (width / 2.0 + x * width / 6), (int) (height - y * height / 10.5), 1, 1);
    }
  }

  private static void stars(Graphics2D graphics, int width, int height, RandomGenerator random) {
    graphics.setPaint(
        new GradientPaint(0, 0, new Color(0x03071e), width, height, new Color(0x1b263b)));
    graphics.fillRect(0, 0, width, height);
    for (int i = 0; i < 900; i++) {
      int size = 1 + (int) (3 * Math.pow(random.nextDouble(), 6));
      graphics.setColor(new Color(mix(0x6c757d, 0xffffff, random.nextDouble())));
      graphics.fillOval(random.nextInt(width), random.nextInt(height), size, size);
    }
  }

  private static int mix(int from, int to, double share) {
    int color = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      int a = (from >> shift) & 0xff;
      int b = (to >> shift) & 0xff;
      color |= (int) Math.round(a + (b - a) * share) << shift;
    }
    return color;
  }
}
