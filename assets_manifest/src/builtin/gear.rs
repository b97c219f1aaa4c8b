//! A spur gear: toothed rim, recessed web, hub with a bore.

use glam::Vec2;

use super::lathe::{Lathe, Mapping, ring_sectors};
use super::outline::{Corner, Fineness, closed_path, corner, open_path};
use super::prism::{Prism, cap_vertex, prism_piece};
use super::surface::{Solid, Surface};

const TEETH: usize = 14;
/// Angle from tooth to tooth.
const PITCH: f32 = core::f32::consts::TAU / TEETH as f32;
const ROOT: f32 = 0.40;
const TIP: f32 = 0.50;
const HALF_HEIGHT: f32 = 0.11;
/// Inner border of the toothed rim's flat.
const FLAT: f32 = 0.345;
const WEB_HALF_HEIGHT: f32 = 0.075;
const HUB: f32 = 0.18;
const BORE: f32 = 0.09;
/// Columns of the inner circle that belong to one tooth.
const COLUMNS_A_TOOTH: usize = 5;
const COLUMNS: usize = TEETH * COLUMNS_A_TOOTH;

pub(super) fn gear() -> Solid {
    let mut surface = Surface::default();
    let outline = closed_path(&tooth_corners(), Fineness::OUTLINE);
    let rim = Prism {
        outline: &outline,
        half_height: HALF_HEIGHT,
        rim: 0.012,
    };
    rim.add_side(&mut surface);

    // From the rim's flat down into the web, over the hub, through the bore and back on the far side.
    let upper = [
        corner(FLAT, HALF_HEIGHT, 0.0),
        corner(0.325, HALF_HEIGHT, 0.012),
        corner(0.310, WEB_HALF_HEIGHT, 0.02),
        corner(HUB + 0.015, WEB_HALF_HEIGHT, 0.02),
        corner(HUB, HALF_HEIGHT, 0.012),
        corner(BORE, HALF_HEIGHT, 0.012),
    ];
    let mut corners: Vec<Corner> = upper.to_vec();
    corners.extend(
        upper
            .iter()
            .rev()
            .map(|c| corner(c.at.x, -c.at.y, c.fillet)),
    );
    let path = open_path(&corners, Fineness::PROFILE);
    let lathe = Lathe::open(&path, COLUMNS, Mapping::FlatLevels);
    lathe.add_to(&mut surface, |_, _| true);
    for (top, row) in [(true, 0), (false, path.len() - 1)] {
        let border = rim.cap_border(top);
        // The sample in the middle of the root before each tooth.
        let roots: Vec<usize> = (0..=TEETH)
            .map(|tooth| {
                let root = root_middle(tooth);
                let distance =
                    |index: usize| border[index].position.truncate().distance_squared(root);
                (0..border.len())
                    .min_by(|a, b| distance(*a).total_cmp(&distance(*b)))
                    .unwrap_or(0)
            })
            .collect();
        // Tooth by tooth: the border from root to root, and back along the circle.
        for tooth in 0..TEETH {
            let length = (roots[tooth + 1] + border.len() - roots[tooth]) % border.len();
            let mut sector: Vec<_> = (0..=length)
                .map(|step| border[(roots[tooth] + step) % border.len()])
                .collect();
            sector.extend(
                (COLUMNS_A_TOOTH * tooth..=COLUMNS_A_TOOTH * (tooth + 1))
                    .rev()
                    .map(|column| cap_vertex(lathe.vertex(row, column).position, top)),
            );
            if !top {
                sector.reverse();
            }
            surface.fill(&sector);
        }
    }

    let band = |inner: f32, outer: f32, half: f32| {
        [(inner, -half), (outer, -half), (outer, half), (inner, half)].map(|(r, z)| Vec2::new(r, z))
    };
    let mut pieces = ring_sectors(&band(0.31, ROOT, HALF_HEIGHT), TEETH);
    pieces.extend(ring_sectors(&band(BORE, 0.32, WEB_HALF_HEIGHT), 8));
    pieces.extend(ring_sectors(&band(BORE, HUB + 0.01, HALF_HEIGHT), 8));
    let corners = tooth_corners();
    pieces.extend(corners.chunks_exact(5).map(|tooth| {
        prism_piece(
            &[1, 2, 3, 4].map(|i| tooth[i].at),
            -HALF_HEIGHT,
            HALF_HEIGHT,
        )
    }));
    Solid {
        mesh: surface.into_mesh("gear"),
        pieces,
    }
}

/// Share of the pitch from a tooth's middle to its foot.
const FOOT: f32 = 0.30;

fn polar(radius: f32, angle: f32) -> Vec2 {
    Vec2::new(radius * libm::cosf(angle), radius * libm::sinf(angle))
}

/// Middle of the straight root before a tooth.
fn root_middle(tooth: usize) -> Vec2 {
    polar(
        ROOT * libm::cosf(PITCH * (0.5 - FOOT)),
        PITCH * (tooth % TEETH) as f32,
    )
}

/// Middle of the root, foot, tip, tip, foot of each tooth in turn.
fn tooth_corners() -> Vec<Corner> {
    (0..TEETH)
        .flat_map(|tooth| {
            let middle = PITCH * (tooth as f32 + 0.5);
            let root = root_middle(tooth);
            let flanks = [
                (ROOT, -FOOT, 0.012),
                (TIP, -0.155, 0.018),
                (TIP, 0.155, 0.018),
                (ROOT, FOOT, 0.012),
            ]
            .map(|(radius, share, fillet)| {
                let at = polar(radius, middle + share * PITCH);
                corner(at.x, at.y, fillet)
            });
            core::iter::once(corner(root.x, root.y, 0.0)).chain(flanks)
        })
        .collect()
}
