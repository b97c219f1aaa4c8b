// Upper mark for ray throughput: Embree 3 single rays (primary, three cosine bounces, one sun shadow ray per hit) on the bench mesh.
//   apt-get install libembree-dev;  g++ -O3 -march=native -fopenmp embree_rays.cpp -lembree3 -o embree_rays;  ./embree_rays five_suzannes.bin
// Prints Mrays/s (median of five) and the mean radiance, so that the same loop in another tracer can be checked against it (0.9248 on five_suzannes.bin).
#include <embree3/rtcore.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>
#include <omp.h>

struct Vec { float x, y, z; };
static Vec operator+(Vec a, Vec b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
static Vec operator-(Vec a, Vec b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
static Vec operator*(Vec a, float s) { return {a.x * s, a.y * s, a.z * s}; }
static float dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
static Vec cross(Vec a, Vec b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
static Vec unit(Vec a) { return a * (1 / std::sqrt(dot(a, a))); }
static float next(unsigned &state) {
  unsigned s = state;
  state = s * 747796405u + 2891336453u;
  unsigned w = ((s >> ((s >> 28) + 4)) ^ s) * 277803737u;
  return (((w >> 22) ^ w) >> 8) / 16777216.f;
}

int main(int argc, char **argv) {
  FILE *file = argc > 1 ? std::fopen(argv[1], "rb") : nullptr;
  unsigned counts[2];
  if (!file || std::fread(counts, 4, 2, file) != 2) return std::fprintf(stderr, "usage: embree_rays MESH.bin\n"), 2;
  RTCDevice device = rtcNewDevice(nullptr);
  RTCScene scene = rtcNewScene(device);
  RTCGeometry mesh = rtcNewGeometry(device, RTC_GEOMETRY_TYPE_TRIANGLE);
  auto *vertices = (float *)rtcSetNewGeometryBuffer(mesh, RTC_BUFFER_TYPE_VERTEX, 0, RTC_FORMAT_FLOAT3, 12, counts[0]);
  auto *faces = (unsigned *)rtcSetNewGeometryBuffer(mesh, RTC_BUFFER_TYPE_INDEX, 0, RTC_FORMAT_UINT3, 12, counts[1]);
  if (std::fread(vertices, 12, counts[0], file) != counts[0] || std::fread(faces, 12, counts[1], file) != counts[1]) return 2;
  rtcCommitGeometry(mesh);
  rtcAttachGeometry(scene, mesh);
  rtcReleaseGeometry(mesh);
  rtcCommitScene(scene);

  const int width = 512, height = 512, samples = 8;
  const Vec eye{9, 5, 9}, sun = unit({0.4f, 0.8f, 0.3f});
  const Vec back = unit(eye - Vec{0, 1, 0}), right = unit(cross({0, 1, 0}, back)), up = cross(back, right);
  const float half = std::tan(0.38f);
  std::vector<double> rates;
  double mean = 0;
  for (int repeat = 0; repeat < 5; repeat++) {
    long rays = 0;
    double sum = 0;
    auto start = std::chrono::steady_clock::now();
#pragma omp parallel for schedule(dynamic, 8) reduction(+ : rays, sum)
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++)
        for (int sample = 0; sample < samples; sample++) {
          unsigned state = ((y * width + x) * samples + sample) * 9781u ^ 0x1234567u;
          next(state);
          float sx = ((x + next(state)) / width * 2 - 1) * half, sy = (1 - (y + next(state)) / height * 2) * half;
          Vec direction = unit(right * sx + up * sy - back), origin = eye;
          float throughput = 1, radiance = 0;
          for (int bounce = 0; bounce < 4; bounce++) {
            RTCIntersectContext context;
            rtcInitIntersectContext(&context);
            RTCRayHit hit;
            hit.ray = {origin.x, origin.y, origin.z, 1e-3f, direction.x, direction.y, direction.z, 0, 1e30f, ~0u, 0, 0};
            hit.hit.geomID = hit.hit.instID[0] = ~0u;
            rtcIntersect1(scene, &context, &hit);
            rays++;
            if (hit.hit.geomID == ~0u) { radiance += throughput * (0.5f + 0.5f * direction.y); break; }
            Vec normal = unit({hit.hit.Ng_x, hit.hit.Ng_y, hit.hit.Ng_z});
            if (dot(normal, direction) > 0) normal = normal * -1;
            origin = origin + direction * hit.ray.tfar;
            throughput *= 0.7f;
            float cosine = dot(normal, sun);
            if (cosine > 0) {
              RTCRay shadow{origin.x, origin.y, origin.z, 1e-3f, sun.x, sun.y, sun.z, 0, 1e30f, ~0u, 0, 0};
              RTCIntersectContext shadow_context;
              rtcInitIntersectContext(&shadow_context);
              rtcOccluded1(scene, &shadow_context, &shadow);
              rays++;
              if (shadow.tfar > 0) radiance += throughput * cosine;
            }
            float u = next(state), v = next(state), z = 1 - 2 * u, r = std::sqrt(std::fmax(0.f, 1 - z * z)), phi = 6.2831853f * v;
            direction = unit(normal + Vec{r * std::cos(phi), r * std::sin(phi), z} * 0.999f);
          }
          sum += radiance;
        }
    double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    rates.push_back(rays / seconds / 1e6);
    mean = sum / (double(width) * height * samples);
  }
  std::sort(rates.begin(), rates.end());
  std::printf("embree %.2f Mrays/s on %d threads, mean radiance %.4f\n", rates[2], omp_get_max_threads(), mean);
}
