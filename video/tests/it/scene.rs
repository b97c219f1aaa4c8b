//! Made-up pictures and masks with the character of rendered ones: shading, texture, hard and soft edges, no noise.

/// Three greys of a mask: what is removed, what is neither, what is kept.
pub(crate) const LEVELS: [u8; 3] = [0, 128, 255];

/// A repeatable pseudo-random number for a place (PCG-like hash).
pub(crate) fn hash(x: u32, y: u32, salt: u32) -> u32 {
    let mut h = x
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(y.wrapping_mul(0x85EB_CA77))
        .wrapping_add(salt.wrapping_mul(0xC2B2_AE3D));
    h ^= h >> 15;
    h = h.wrapping_mul(0x2C1B_3C6D);
    h ^= h >> 12;
    h = h.wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// Smooth noise in 0..=1 with features of size 1.
fn noise(x: f64, y: f64, salt: u32) -> f64 {
    let (column, row) = (x.floor(), y.floor());
    let corner = |i: f64, j: f64| {
        f64::from(hash(
            (column + i) as i64 as u32,
            (row + j) as i64 as u32,
            salt,
        )) / f64::from(u32::MAX)
    };
    let ease = |t: f64| t * t * (3.0 - 2.0 * t);
    let (u, v) = (ease(x - column), ease(y - row));
    let upper = corner(0.0, 0.0) * (1.0 - u) + corner(1.0, 0.0) * u;
    let lower = corner(0.0, 1.0) * (1.0 - u) + corner(1.0, 1.0) * u;
    upper * (1.0 - v) + lower * v
}

/// A ball: centre and radius in pixels at a frame.
#[derive(Clone, Copy)]
struct Ball {
    x: f64,
    y: f64,
    radius: f64,
    color: [f64; 3],
}

/// Two balls: the first one is removed in the removed world.
fn balls(frame: u32, scale: f64) -> [Ball; 2] {
    let t = f64::from(frame);
    [
        Ball {
            x: (60.0 + 1.3 * t) * scale,
            y: (90.0 + 0.02 * t * t) * scale,
            radius: 34.0 * scale,
            color: [0.9, 0.15, 0.1],
        },
        Ball {
            x: (180.0 - 0.4 * t) * scale,
            y: 150.0 * scale,
            radius: 42.0 * scale,
            color: [0.1, 0.35, 0.8],
        },
    ]
}

/// A textured floor with two shaded balls and their soft shadows; `pan` moves the floor by pixels per frame.
/// `is_removed`: without the first ball and its shadow.
pub(crate) fn picture(width: u32, height: u32, frame: u32, pan: f64, is_removed: bool) -> Vec<u8> {
    let scale = f64::from(height) / 256.0;
    let all = balls(frame, scale);
    let shown = if is_removed { &all[1..] } else { &all[..] };
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
            let (u, v) = ((x + pan * f64::from(frame)) / scale, y / scale);
            let grain = 0.55 * noise(u / 23.0, v / 23.0, 1)
                + 0.3 * noise(u / 7.0, v / 7.0, 2)
                + 0.15 * noise(u / 2.5, v / 2.5, 3);
            let light = 0.35 + 0.5 * y / f64::from(height);
            let mut color = [
                light * grain * 1.3,
                light * grain,
                light * (0.25 + 0.6 * grain),
            ];
            for ball in shown {
                let (dx, dy) = (
                    x - ball.x - ball.radius * 0.5,
                    (y - ball.y - ball.radius * 0.8) * 2.0,
                );
                let distance = (dx * dx + dy * dy).sqrt() / ball.radius;
                let shadow = (1.3 - distance).clamp(0.0, 1.0);
                color = color.map(|c| c * (1.0 - 0.7 * shadow * shadow));
            }
            for ball in shown {
                let (dx, dy) = ((x - ball.x) / ball.radius, (y - ball.y) / ball.radius);
                let distance = (dx * dx + dy * dy).sqrt();
                let cover = ((1.0 - distance) * ball.radius + 0.5).clamp(0.0, 1.0);
                let z = (1.0 - (distance * distance).min(1.0)).sqrt();
                let diffuse = (0.5 * z - 0.5 * dy - 0.4 * dx).max(0.05);
                let gloss = (0.75 * z - 0.5 * dy - 0.4 * dx).clamp(0.0, 1.0);
                let gloss = gloss * gloss * gloss * gloss;
                let highlight = gloss * gloss * gloss * gloss;
                for (c, base) in color.iter_mut().zip(ball.color) {
                    let shade = base * diffuse + 0.8 * highlight;
                    *c = *c * (1.0 - cover) + shade * cover;
                }
            }
            // Close to sRGB: a square root.
            rgb.extend(color.map(|c| (c.clamp(0.0, 1.0).sqrt() * 255.0 + 0.5) as u8));
        }
    }
    rgb
}

/// The mask of [`picture`]: first ball 0, second 255, floor 128.
pub(crate) fn trimask(width: u32, height: u32, frame: u32) -> Vec<u8> {
    let scale = f64::from(height) / 256.0;
    let [removed, kept] = balls(frame, scale);
    let mut levels = Vec::with_capacity((width * height) as usize);
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (f64::from(column) + 0.5, f64::from(row) + 0.5);
            let is_inside = |ball: &Ball| {
                let (dx, dy) = (x - ball.x, y - ball.y);
                dx * dx + dy * dy < ball.radius * ball.radius
            };
            levels.push(match (is_inside(&removed), is_inside(&kept)) {
                (true, _) => 0,
                (_, true) => 255,
                _ => 128,
            });
        }
    }
    levels
}

/// Blocks of random size, some pixels of noise: every way of coding a macroblock.
pub(crate) fn random_mask(width: u32, height: u32, frame: u32, salt: u32) -> Vec<u8> {
    let mut levels = vec![128; (width * height) as usize];
    for index in 0..14 {
        let value = |k: u32| hash(index, k, salt);
        let (w, h) = (value(0) % (width / 2) + 1, value(1) % (height / 2) + 1);
        let (x, y) = (
            value(2) + frame * (value(4) % 7),
            value(3) + frame * (value(5) % 5),
        );
        let level = LEVELS[value(6) as usize % 3];
        for row in 0..h {
            for column in 0..w {
                let at = ((y + row) % height) * width + (x + column) % width;
                levels[at as usize] = level;
            }
        }
    }
    for index in 0..40 {
        let at = hash(index, frame, salt) % (width * height);
        levels[at as usize] = LEVELS[index as usize % 3];
    }
    levels
}

/// Every pixel on its own.
pub(crate) fn noise_mask(width: u32, height: u32, frame: u32) -> Vec<u8> {
    (0..width * height)
        .map(|i| LEVELS[hash(i, frame, 9) as usize % 3])
        .collect()
}

/// The most saturated colours of sRGB, a grey ramp between them, in patches of 32×32.
pub(crate) fn patches(width: u32, height: u32) -> Vec<u8> {
    const COLORS: [[u8; 3]; 12] = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 0],
        [0, 255, 255],
        [255, 0, 255],
        [255, 128, 0],
        [0, 128, 255],
        [128, 0, 255],
        [255, 255, 255],
        [0, 0, 0],
        [128, 128, 128],
    ];
    let mut rgb = Vec::with_capacity((width * height * 3) as usize);
    for row in 0..height {
        for column in 0..width {
            let index = row / 32 * width.div_ceil(32) + column / 32;
            rgb.extend(COLORS[index as usize % COLORS.len()]);
        }
    }
    rgb
}
