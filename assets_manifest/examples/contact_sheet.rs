//! Draws contact sheets of the built-in library: `contact_sheet DIR` writes objects.png, textures.png,
//! grounds.png and environments.png there.

use std::path::Path;

use diorama_assets::{EnvironmentMap, Image, Model, Pixels, builtin};
use glam::{Mat3, Vec2, Vec3};
use image::{Rgb, RgbImage};

/// Side of an object's picture, and its super-sampling.
const CELL: u32 = 320;
const SUPER: u32 = 3;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = std::env::args()
        .nth(1)
        .ok_or("usage: contact_sheet DIR [NAME]")?;
    let only = std::env::args().nth(2).unwrap_or_default();
    let directory = Path::new(&directory);
    fs_err::create_dir_all(directory)?;

    let objects: Vec<RgbImage> = builtin::object_records()
        .iter()
        .filter(|record| record.id.contains(&only))
        .filter_map(|record| builtin::model(&record.id))
        .flat_map(|model| [draw(&model, -1.1, 0.45), draw(&model, 1.9, -0.25)])
        .collect();
    sheet(&objects, 8).save(directory.join("objects.png"))?;
    if !only.is_empty() {
        return Ok(());
    }

    let textures: Vec<RgbImage> = builtin::object_texture_kinds()
        .iter()
        .flat_map(|kind| (0..4).map(move |seed| format!("builtin/cube?texture={kind}-{seed}")))
        .filter_map(|id| builtin::model(&id))
        .map(|model| tiled(&model.images[0], 1))
        .collect();
    sheet(&textures, 8).save(directory.join("textures.png"))?;
    let grounds: Vec<RgbImage> = builtin::floor_texture_kinds()
        .iter()
        .flat_map(|kind| (0..3).map(move |seed| format!("builtin/floor?texture={kind}-{seed}")))
        .filter_map(|id| builtin::model(&id))
        .flat_map(|model| [tiled(&model.images[0], 1), tiled(&model.images[0], 3)])
        .collect();
    sheet(&grounds, 6).save(directory.join("grounds.png"))?;
    let environments: Vec<RgbImage> = builtin::environment_records()
        .iter()
        .filter_map(|record| builtin::environment(&record.id))
        .map(|map| tone_mapped(&map))
        .collect();
    sheet(&environments, 3).save(directory.join("environments.png"))?;
    Ok(())
}

/// Pictures of one size side by side, row by row.
fn sheet(pictures: &[RgbImage], columns: u32) -> RgbImage {
    let Some(first) = pictures.first() else {
        return RgbImage::new(1, 1);
    };
    let (width, height) = first.dimensions();
    let columns = columns.min(pictures.len() as u32);
    let rows = (pictures.len() as u32).div_ceil(columns);
    let mut sheet = RgbImage::new(width * columns, height * rows);
    for (index, picture) in (0_u32..).zip(pictures) {
        let (x, y) = (index % columns * width, index / columns * height);
        image::imageops::replace(&mut sheet, picture, i64::from(x), i64::from(y));
    }
    sheet
}

fn srgb(linear: f32) -> u8 {
    let c = linear.clamp(0.0, 1.0);
    let encoded = if c <= 0.0031308 {
        12.92 * c
    } else {
        1.055 * libm::powf(c, 1.0 / 2.4) - 0.055
    };
    (encoded * 255.0 + 0.5) as u8
}

fn texel(image: &Image, uv: Vec2) -> Vec3 {
    let Pixels::Rgba8(pixels) = &image.pixels else {
        return Vec3::splat(0.5);
    };
    let at = |t: f32, size: u32| (((t - t.floor()) * size as f32) as u32).min(size - 1);
    let [r, g, b, _] =
        pixels[(at(uv.y, image.height) * image.width + at(uv.x, image.width)) as usize];
    Vec3::new(f32::from(r), f32::from(g), f32::from(b)).map(|c| libm::powf(c / 255.0, 2.2))
}

/// Z-buffer picture with a key light, sky light and a small highlight.
fn draw(model: &Model, azimuth: f32, elevation: f32) -> RgbImage {
    let size = CELL * SUPER;
    let mesh = &model.meshes[0];
    let forward = -Vec3::new(
        libm::cosf(azimuth) * libm::cosf(elevation),
        libm::sinf(azimuth) * libm::cosf(elevation),
        libm::sinf(elevation),
    );
    let right = forward.cross(Vec3::Z).normalize_or(Vec3::X);
    let up = right.cross(forward);
    let view = Mat3::from_cols(right, up, forward).transpose();
    let eye = forward * -3.2;
    let projected: Vec<Vec3> = mesh
        .positions
        .iter()
        .map(|p| {
            let q = view * (*p - eye);
            let scale = 2.35 * size as f32 / q.z;
            Vec3::new(
                size as f32 * 0.5 + q.x * scale,
                size as f32 * 0.5 - q.y * scale,
                q.z,
            )
        })
        .collect();
    let mut depth = vec![f32::MAX; (size * size) as usize];
    let mut colour = vec![Vec3::splat(0.16); (size * size) as usize];
    let light = (right * -0.5 + up * 0.8 - forward * 0.6).normalize_or(Vec3::Z);
    for triangle in &mesh.triangles {
        let [a, b, c] = triangle.map(|i| projected[i as usize]);
        let area = (b - a).truncate().perp_dot((c - a).truncate());
        // Back faces are drawn in magenta: seen only where a mesh is inside out.
        let back = area > 0.0;
        let low = a.min(b).min(c).max(Vec3::ZERO);
        let high = a.max(b).max(c).min(Vec3::splat(size as f32 - 1.0));
        for y in low.y as u32..=high.y as u32 {
            for x in low.x as u32..=high.x as u32 {
                let p = Vec2::new(x as f32 + 0.5, y as f32 + 0.5);
                let weight = |u: Vec3, v: Vec3| {
                    (v.truncate() - u.truncate()).perp_dot(p - u.truncate()) / area
                };
                let (wa, wb, wc) = (weight(b, c), weight(c, a), weight(a, b));
                if wa < 0.0 || wb < 0.0 || wc < 0.0 {
                    continue;
                }
                let z = 1.0 / (wa / a.z + wb / b.z + wc / c.z);
                let slot = (y * size + x) as usize;
                if z >= depth[slot] {
                    continue;
                }
                depth[slot] = z;
                let mix = |i: usize, w: f32, own: f32| (triangle[i] as usize, w * z / own);
                let parts = [mix(0, wa, a.z), mix(1, wb, b.z), mix(2, wc, c.z)];
                let normal = parts
                    .iter()
                    .map(|(i, w)| mesh.normals[*i] * *w)
                    .sum::<Vec3>()
                    .normalize_or(Vec3::Z);
                let uv = parts.iter().map(|(i, w)| mesh.uvs[*i] * *w).sum::<Vec2>();
                let albedo = texel(&model.images[0], uv);
                let half = (light - forward).normalize_or(Vec3::Z);
                let gloss = libm::powf(normal.dot(half).max(0.0), 60.0) * 0.35;
                let diffuse = 0.9 * normal.dot(light).max(0.0) + 0.25 * (0.6 + 0.4 * normal.z);
                colour[slot] = if back {
                    Vec3::new(1.0, 0.0, 1.0)
                } else {
                    albedo * diffuse + Vec3::splat(gloss)
                };
            }
        }
    }
    RgbImage::from_fn(CELL, CELL, |x, y| {
        let mut sum = Vec3::ZERO;
        for dy in 0..SUPER {
            for dx in 0..SUPER {
                sum += colour[((y * SUPER + dy) * size + x * SUPER + dx) as usize];
            }
        }
        let mean = sum / (SUPER * SUPER) as f32;
        Rgb(mean.to_array().map(srgb))
    })
}

/// The texture, repeated `times` in both directions, in one cell.
fn tiled(picture: &Image, times: u32) -> RgbImage {
    let fine = RgbImage::from_fn(CELL * SUPER, CELL * SUPER, |x, y| {
        let scale = times as f32 / (CELL * SUPER) as f32;
        let colour = texel(picture, Vec2::new(x as f32 + 0.5, y as f32 + 0.5) * scale);
        Rgb(colour.to_array().map(srgb))
    });
    image::imageops::thumbnail(&fine, CELL, CELL)
}

/// Exposed so that the log mean of the upper half is middle grey, like a Shot; the sun is drawn.
fn tone_mapped(map: &EnvironmentMap) -> RgbImage {
    let Pixels::RgbF32(pixels) = &map.image.pixels else {
        return RgbImage::new(map.image.width, map.image.height);
    };
    let (width, height) = (map.image.width, map.image.height);
    let logs = pixels
        .iter()
        .map(|p| libm::logf(1e-5 + 0.3 * p[0] + 0.6 * p[1] + 0.1 * p[2]));
    let exposure = 0.3 / libm::expf(logs.sum::<f32>() / pixels.len() as f32);
    RgbImage::from_fn(width, height, |x, y| {
        let mut colour = Vec3::from(pixels[(y * width + x) as usize]);
        if let Some(sun) = map.sun {
            let azimuth = (0.5 - (x as f32 + 0.5) / width as f32) * core::f32::consts::TAU;
            let zenith = (y as f32 + 0.5) / height as f32 * core::f32::consts::PI;
            let direction = Vec3::new(
                libm::sinf(zenith) * libm::cosf(azimuth),
                libm::sinf(zenith) * libm::sinf(azimuth),
                libm::cosf(zenith),
            );
            if direction.dot(Vec3::from(sun.direction_to_sun)) > 0.9998 && direction.z > 0.0 {
                colour += Vec3::from(sun.irradiance) * 1000.0;
            }
        }
        Rgb((colour * exposure)
            .to_array()
            .map(|c| srgb(c * (1.0 + c / 9.0) / (1.0 + c))))
    })
}
