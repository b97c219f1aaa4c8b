// Random numbers named by what they are for: twin of kernels/sampler.rs, bit for
// bit. The purposes are written in front of this text.

// The random numbers of one sample of one pixel.
struct Sampler {
    picture_seed: u32,
    // Number of this sample in the sequences of the picture, bits reversed.
    reversed_place: u32,
    // Names the sample, for white noise.
    sample_seed: u32,
}

fn hash(value: u32) -> u32 {
    var x = value;
    x ^= x >> 16u;
    x *= 0x7feb352du;
    x ^= x >> 15u;
    x *= 0x846ca68bu;
    return x ^ (x >> 16u);
}

fn combine(a: u32, b: u32) -> u32 {
    let h = hash(b + 0x9e3779b9u);
    return hash(a ^ ((h << 13u) | (h >> 19u)));
}

fn unit_from_bits(bits: u32) -> f32 {
    return f32(bits >> 8u) * (1.0 / 16777216.0);
}

// Owen scramble of a number whose bits are already reversed.
fn laine_karras(value: u32, seed: u32) -> u32 {
    var x = value;
    x ^= x * 0x3d20adeau;
    x += seed;
    x *= (seed >> 16u) | 1u;
    x ^= x * 0x05526c56u;
    return x ^ (x * 0x53a22864u);
}

// The second dimension of the Sobol sequence, its bits reversed. Its matrix is Pascal's triangle modulo
// two: bit k of the result is the sum of the index bits whose positions contain those of k (Lucas).
fn sobol_second_reversed(index: u32) -> u32 {
    var x = index;
    x ^= (x >> 1u) & 0x55555555u;
    x ^= (x >> 2u) & 0x33333333u;
    x ^= (x >> 4u) & 0x0f0f0f0fu;
    x ^= (x >> 8u) & 0x00ff00ffu;
    x ^= (x >> 16u) & 0x0000ffffu;
    return x;
}

// Where a pixel's samples lie in the picture's sequences is the host's to say (pixel records).
fn sampler_new(pixel: PixelRecord, sample: u32) -> Sampler {
    return Sampler(
        pixel.picture_seed,
        reverseBits(pixel.first + sample),
        combine(pixel.pixel_seed ^ 0xa511e9b3u, sample),
    );
}

fn sequence_seed(s: Sampler, bounce: u32, purpose: u32) -> u32 {
    return hash(s.picture_seed + (bounce * PURPOSES + purpose) * 0x9e3779b9u);
}

fn shuffled_index(s: Sampler, seed: u32) -> u32 {
    return reverseBits(laine_karras(s.reversed_place, seed));
}

fn get_1d(s: Sampler, bounce: u32, purpose: u32) -> f32 {
    let seed = sequence_seed(s, bounce, purpose);
    let index = shuffled_index(s, seed);
    return unit_from_bits(reverseBits(laine_karras(index, hash(seed ^ 0x68bc21ebu))));
}

fn get_2d(s: Sampler, bounce: u32, purpose: u32) -> vec2<f32> {
    let seed = sequence_seed(s, bounce, purpose);
    let index = shuffled_index(s, seed);
    let x = reverseBits(laine_karras(index, hash(seed ^ 0x68bc21ebu)));
    let second = sobol_second_reversed(index);
    let y = reverseBits(laine_karras(second, hash(seed ^ 0x02e5be93u)));
    return vec2<f32>(unit_from_bits(x), unit_from_bits(y));
}

// A number for passing through the alpha of (object, primitive); `light` keeps shadow rays apart.
fn alpha_number(s: Sampler, bounce: u32, object: u32, primitive: u32, light: u32) -> f32 {
    let key = combine(s.sample_seed, bounce * 4u + light);
    return unit_from_bits(combine(combine(key, object), primitive));
}
