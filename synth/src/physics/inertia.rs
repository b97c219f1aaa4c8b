//! Mass, centre and principal inertia of a body made of convex hulls.
//!
//! Exact polyhedron integrals and a Jacobi eigen-solver: additions, products and square roots only,
//! so no libm decides a bit (parry's solver calls the system's `acos` and `cos`).

use glam::{DMat3, DVec3, Mat3, Quat, Vec3};
use rapier3d::prelude::MassProperties;

use super::hull::Hull;

/// Sweeps of the Jacobi iteration; it converges quadratically and needs about six.
const JACOBI_SWEEPS: usize = 16;

/// Mass properties of `hulls` with a uniform density such that the total is `mass_kg`. Where hulls
/// overlap, the overlap counts twice in the shape of the distribution, never in the mass.
pub(super) fn mass_properties(hulls: &[Hull], mass_kg: f32) -> MassProperties {
    let mut volume = 0.0;
    let mut first_moment = DVec3::ZERO;
    let mut second_moment = DMat3::ZERO;
    for hull in hulls {
        for triangle in &hull.triangles {
            let [a, b, c] = triangle.map(|i| hull.vertices[i as usize].as_dvec3());
            let det = a.cross(b).dot(c);
            let sum = a + b + c;
            volume += det / 6.0;
            first_moment += sum * (det / 24.0);
            second_moment += (outer(a) + outer(b) + outer(c) + outer(sum)) * (det / 120.0);
        }
    }
    let volume = volume.max(f64::MIN_POSITIVE);
    let density = f64::from(mass_kg) / volume;
    let center = first_moment / volume;
    let about_center = (second_moment - outer(center) * volume) * density;
    let trace = about_center.x_axis.x + about_center.y_axis.y + about_center.z_axis.z;
    let inertia = DMat3::from_diagonal(DVec3::splat(trace)) - about_center;
    let (principal, frame) = symmetric_eigen(inertia);
    MassProperties::with_principal_inertia_frame(
        center.as_vec3(),
        mass_kg,
        principal.max(DVec3::ZERO).as_vec3(),
        frame,
    )
}

/// Enclosed volume of one hull.
pub(super) fn volume(hull: &Hull) -> f64 {
    hull.triangles
        .iter()
        .map(|triangle| {
            let [a, b, c] = triangle.map(|i| hull.vertices[i as usize].as_dvec3());
            a.cross(b).dot(c) / 6.0
        })
        .sum()
}

/// Signed volume enclosed by a triangle mesh (meaningful when it is closed).
pub(super) fn signed_volume(positions: &[Vec3], triangles: &[[u32; 3]]) -> f64 {
    triangles
        .iter()
        .map(|triangle| {
            let [a, b, c] = triangle.map(|i| positions[i as usize].as_dvec3());
            a.cross(b).dot(c) / 6.0
        })
        .sum()
}

fn outer(v: DVec3) -> DMat3 {
    DMat3::from_cols(v * v.x, v * v.y, v * v.z)
}

/// Eigenvalues and the rotation whose columns are the eigenvectors of a symmetric matrix.
fn symmetric_eigen(matrix: DMat3) -> (DVec3, Quat) {
    let mut a = matrix.to_cols_array_2d();
    let mut vectors = DMat3::IDENTITY.to_cols_array_2d();
    for _ in 0..JACOBI_SWEEPS {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let sign = if theta < 0.0 { -1.0 } else { 1.0 };
            let tangent = sign / (theta.abs() + (theta * theta + 1.0).sqrt());
            let cosine = 1.0 / (tangent * tangent + 1.0).sqrt();
            let sine = tangent * cosine;
            for k in 0..3 {
                let (kp, kq) = (a[k][p], a[k][q]);
                a[k][p] = cosine * kp - sine * kq;
                a[k][q] = sine * kp + cosine * kq;
            }
            for k in 0..3 {
                let (pk, qk) = (a[p][k], a[q][k]);
                a[p][k] = cosine * pk - sine * qk;
                a[q][k] = sine * pk + cosine * qk;
            }
            for k in 0..3 {
                // Columns of `vectors` are eigenvectors: column index first.
                let (vp, vq) = (vectors[p][k], vectors[q][k]);
                vectors[p][k] = cosine * vp - sine * vq;
                vectors[q][k] = sine * vp + cosine * vq;
            }
        }
    }
    let mut frame = DMat3::from_cols_array_2d(&vectors);
    if frame.determinant() < 0.0 {
        frame.z_axis = -frame.z_axis;
    }
    let frame = Mat3::from_cols(
        frame.x_axis.as_vec3(),
        frame.y_axis.as_vec3(),
        frame.z_axis.as_vec3(),
    );
    (
        DVec3::new(a[0][0], a[1][1], a[2][2]),
        Quat::from_mat3(&frame).normalize(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::hull::convex_hull;

    #[test]
    fn a_turned_box_has_the_inertia_of_the_textbook() {
        let half = Vec3::new(0.5, 1.0, 1.5);
        let turn = Quat::from_xyzw(0.1, 0.2, -0.3, 0.9).normalize();
        let offset = Vec3::new(3.0, -2.0, 1.0);
        let corners: Vec<Vec3> = (0..8)
            .map(|i| {
                let sign = |bit: i32| if i >> bit & 1 == 1 { 1.0 } else { -1.0 };
                turn * (half * Vec3::new(sign(0), sign(1), sign(2))) + offset
            })
            .collect();
        let mass = 2.0;
        let found = mass_properties(&[convex_hull(&corners).unwrap()], mass);
        assert!((found.mass() - mass).abs() < 1e-5);
        assert!((found.local_com - offset).length() < 1e-5);
        let side = half * 2.0;
        let mut expected = [
            mass / 12.0 * (side.y * side.y + side.z * side.z),
            mass / 12.0 * (side.x * side.x + side.z * side.z),
            mass / 12.0 * (side.x * side.x + side.y * side.y),
        ];
        let mut principal = found.principal_inertia().to_array();
        expected.sort_by(f32::total_cmp);
        principal.sort_by(f32::total_cmp);
        for k in 0..3 {
            assert!((principal[k] / expected[k] - 1.0).abs() < 1e-4);
        }
        // The tensor in object space agrees too, so the frame is right.
        let tensor = found.reconstruct_inertia_matrix();
        let about_x = turn * Vec3::X;
        let expected_about_x = mass / 12.0 * (side.y * side.y + side.z * side.z);
        assert!((about_x.dot(tensor * about_x) - expected_about_x).abs() < 1e-3);
    }
}
