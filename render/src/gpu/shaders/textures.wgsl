// Texture look-ups and materials: twin of scene/texture.rs and scene/material.rs.

fn wrap_coordinate(i: i32, size: i32, wrap: u32) -> i32 {
    switch wrap {
        case 0u: {
            let r = i % size;
            return select(r, r + size, r < 0);
        }
        case 1u: {
            var r = i % (2 * size);
            r = select(r, r + 2 * size, r < 0);
            return select(2 * size - 1 - r, r, r < size);
        }
        default: { return clamp(i, 0, size - 1); }
    }
}

// Three values with one exponent; 18 bits of the largest.
fn unpack_radiance(low: u32, high: u32) -> vec3<f32> {
    let r = low & 0x3ffffu;
    let g = (low >> 18u) | ((high & 0xfu) << 14u);
    let b = (high >> 4u) & 0x3ffffu;
    let scale = bitcast<f32>((high >> 24u) << 23u);
    return vec3<f32>(f32(r), f32(g), f32(b)) * (scale * (1.0 / 131072.0));
}

fn float_texel(first: u32, index: u32) -> vec3<f32> {
    // Two words that no element parts: `first` is a multiple of four.
    let both = texels((first >> 2u) + (index >> 1u));
    let words = select(both.xy, both.zw, (index & 1u) == 1u);
    return unpack_radiance(words.x, words.y);
}

// As stored: 0..255 of 8-bit images.
fn texture_texel(use_: TextureUse, x: i32, y: i32) -> vec4<f32> {
    let column = wrap_coordinate(x, i32(use_.width), use_.flags & 3u);
    let row = wrap_coordinate(y, i32(use_.height), (use_.flags >> 2u) & 3u);
    let index = u32(row) * use_.width + u32(column);
    if use_.kind == TEXTURE_FLOAT {
        return vec4<f32>(float_texel(use_.texels, index), 1.0);
    }
    let bits = texel(use_.texels + index);
    return vec4<f32>(vec4<u32>(bits, bits >> 8u, bits >> 16u, bits >> 24u) & vec4<u32>(255u));
}

// Linear value of an sRGB value in 0..=255, also between the whole numbers.
fn linear_from_srgb(value: f32) -> f32 {
    let below = min(u32(value), 255u);
    return linear_table(TABLE_SRGB + below, value - f32(below));
}

// What a stored (or interpolated) pixel means.
fn decode_texel(use_: TextureUse, stored: vec4<f32>) -> vec4<f32> {
    if use_.kind == TEXTURE_FLOAT {
        return stored;
    }
    if use_.kind == TEXTURE_SRGB {
        return vec4<f32>(
            linear_from_srgb(stored.r),
            linear_from_srgb(stored.g),
            linear_from_srgb(stored.b),
            stored.a * (1.0 / 255.0),
        );
    }
    return stored * (1.0 / 255.0);
}

// Bilinear (or nearest) value, mixed as stored and decoded after; `uvs` holds both sets.
fn texture_lookup(use_: TextureUse, uvs: vec4<f32>) -> vec4<f32> {
    let uv = select(uvs.xy, uvs.zw, (use_.flags & 32u) != 0u);
    let m = use_.matrix;
    let u = m.x * uv.x + m.y * uv.y + use_.offset.x;
    let v = m.z * uv.x + m.w * uv.y + use_.offset.y;
    var x = clamp(u * f32(use_.width), -1e9, 1e9);
    var y = clamp(v * f32(use_.height), -1e9, 1e9);
    if (use_.flags & 16u) != 0u {
        return decode_texel(use_, texture_texel(use_, i32(floor(x)), i32(floor(y))));
    }
    x -= 0.5;
    y -= 0.5;
    let x0 = floor(x);
    let y0 = floor(y);
    let s = x - x0;
    let t = y - y0;
    var rows = array<vec4<f32>, 2>(vec4<f32>(0.0), vec4<f32>(0.0));
    for (var j = 0; j < 2; j++) {
        let left = texture_texel(use_, i32(x0), i32(y0) + j);
        let right = texture_texel(use_, i32(x0) + 1, i32(y0) + j);
        rows[j] = left * (1.0 - s) + right * s;
    }
    return decode_texel(use_, rows[0] * (1.0 - t) + rows[1] * t);
}

// All of a material at one point.
struct MaterialPoint {
    values: SurfaceValues,
    emission: vec3<f32>,
    alpha: f32,
    // Tangent space; z = 2 where there is no map.
    mapped: vec3<f32>,
    mapped_uv_set: u32,
    // Of the material.
    flags: u32,
    absorption: vec3<f32>,
}

fn material_alpha(flags: u32, cutoff: f32, drawn: f32) -> f32 {
    let alpha = clamp(drawn, 0.0, 1.0);
    if (flags & MATERIAL_ALPHA_MASK) != 0u {
        return select(0.0, 1.0, alpha >= cutoff);
    }
    return select(1.0, alpha, (flags & MATERIAL_ALPHA_BLEND) != 0u);
}

fn material_point(material: u32, uvs: vec4<f32>, color: vec4<f32>) -> MaterialPoint {
    let m = material_at(material);
    var p: MaterialPoint;
    p.values = SurfaceValues(
        m.base_color * color.rgb,
        m.metallic,
        m.specular_tint,
        m.roughness,
        m.coat_tint,
        m.ior,
        m.sheen_tint,
        m.specular,
        m.transmission,
        m.transmission_roughness,
        m.diffuse_transmission,
        m.coat,
        m.coat_roughness,
        m.coat_ior,
        m.sheen,
        m.sheen_roughness,
        (m.flags & MATERIAL_THIN) != 0u,
    );
    p.emission = m.emission;
    p.mapped = vec3<f32>(0.0, 0.0, 2.0);
    p.mapped_uv_set = 0u;
    var drawn = m.alpha * color.a;
    var rest = select(0u, m.texture_bits, HAS_TEXTURES);
    while HAS_TEXTURES && rest != 0u {
        let which = firstTrailingBit(rest);
        rest &= rest - 1u;
        let use_ = texture_use_at(material, which);
        let t = texture_lookup(use_, uvs);
        switch which {
            case TEXTURE_BASE_COLOR: {
                p.values.base_color *= t.rgb;
                drawn *= t.a;
            }
            case TEXTURE_METALLIC_ROUGHNESS: {
                p.values.roughness *= t.g;
                p.values.metallic *= t.b;
            }
            case TEXTURE_SPECULAR: { p.values.specular *= t.a; }
            case TEXTURE_TRANSMISSION: { p.values.transmission *= t.r; }
            case TEXTURE_COAT: { p.values.coat *= t.r; }
            case TEXTURE_COAT_ROUGHNESS: { p.values.coat_roughness *= t.g; }
            case TEXTURE_EMISSION: { p.emission *= t.rgb; }
            default: {
                if !HAS_NORMAL_MAPS {
                    continue;
                }
                let x = (t.r * 2.0 - 1.0) * m.normal_scale;
                let y = (t.g * 2.0 - 1.0) * m.normal_scale;
                let strength = clamp(m.normal_scale, 0.0, 1.0);
                let z = max(1.0 + (t.b * 2.0 - 2.0) * strength, 1e-3);
                if sqr(x) + sqr(y) > 0.0 {
                    p.mapped = normalize_or(vec3<f32>(x, y, z), UP);
                    p.mapped_uv_set = (use_.flags >> 5u) & 1u;
                }
            }
        }
    }
    p.flags = m.flags;
    p.absorption = m.absorption;
    p.alpha = material_alpha(m.flags, m.alpha_cutoff, drawn);
    return p;
}
