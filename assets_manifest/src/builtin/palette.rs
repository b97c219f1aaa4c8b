//! Named colours, so that a caption can say what a generated texture looks like.

use super::noise::hash;

/// sRGB-encoded colour, 0 … 1.
pub(super) type Rgb = [f32; 3];

/// A colour with its caption word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    pub(super) word: &'static str,
    pub(super) rgb: Rgb,
}

const fn named(word: &'static str, r: u8, g: u8, b: u8) -> Named {
    Named {
        word,
        rgb: [r as f32 / 255.0, g as f32 / 255.0, b as f32 / 255.0],
    }
}

/// Paint colours: none brighter than about 80 % or darker than about 2 % reflectance.
static PAINTS: &[Named] = &[
    named("red", 196, 44, 40),
    named("orange", 226, 122, 38),
    named("yellow", 234, 194, 58),
    named("green", 70, 146, 70),
    named("teal", 36, 136, 136),
    named("blue", 48, 92, 178),
    named("purple", 120, 70, 158),
    named("pink", 226, 134, 160),
    named("white", 230, 228, 222),
    named("black", 38, 38, 42),
    named("grey", 128, 130, 134),
    named("brown", 120, 80, 50),
    named("beige", 212, 192, 158),
    named("turquoise", 84, 194, 186),
    named("navy", 38, 52, 98),
    named("maroon", 122, 34, 48),
    named("olive", 122, 124, 56),
    named("light blue", 140, 184, 220),
    named("dark green", 34, 84, 52),
    named("lilac", 178, 158, 208),
];

/// Rec.709 luma of an encoded colour.
fn luma(rgb: Rgb) -> f32 {
    0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
}

/// A main colour and two others that stand out from it and differ from each other.
pub(super) fn scheme(seed: u64) -> [Named; 3] {
    let pick = |label: u32, fits: &dyn Fn(&Named) -> bool| {
        let fitting: Vec<&Named> = PAINTS.iter().filter(|paint| fits(paint)).collect();
        *fitting[(hash(seed, 0, 0, label) % fitting.len() as u64) as usize]
    };
    let first = pick(10, &|_| true);
    let stands_out = |paint: &Named| (luma(paint.rgb) - luma(first.rgb)).abs() > 0.22;
    let second = pick(11, &stands_out);
    let third = pick(12, &|paint| stands_out(paint) && paint.word != second.word);
    [first, second, third]
}

/// From `a` (t = 0) to `b` (t = 1), in encoded values.
pub(super) fn blend(a: Rgb, b: Rgb, t: f32) -> Rgb {
    let t = t.clamp(0.0, 1.0);
    [0, 1, 2].map(|c| a[c] + (b[c] - a[c]) * t)
}

/// Every channel times `factor`.
pub(super) fn shade(a: Rgb, factor: f32) -> Rgb {
    a.map(|c| c * factor)
}
