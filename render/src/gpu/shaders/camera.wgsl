// Camera rays and the pixel filter: twin of kernels/camera.rs.

struct CameraRay {
    origin: vec3<f32>,
    direction: vec3<f32>,
}

fn filter_offset(u: f32) -> f32 {
    let scaled = u * f32(TABLE_FILTER_SIZE);
    let i = min(u32(scaled), TABLE_FILTER_SIZE - 1u);
    let t = scaled - f32(i);
    return linear_table(TABLE_FILTER + i, t);
}

fn camera_ray(which: u32, position: vec2<f32>, lens: vec2<f32>) -> CameraRay {
    let camera = &frame.cameras[which];
    let tangent = (*camera).tan_half_width;
    let scale = 2.0 * tangent / (*camera).width;
    let x = (position.x - 0.5 * (*camera).width) * scale + (*camera).shift.x * 2.0 * tangent;
    let y = (0.5 * (*camera).height - position.y) * scale + (*camera).shift.y * 2.0 * tangent;
    let direction = (*camera).right * x + (*camera).up * y + (*camera).forward;
    if (*camera).aperture_radius <= 0.0 {
        return CameraRay((*camera).origin, normalize_or(direction, (*camera).forward));
    }
    let d = concentric_disc(lens);
    let on_lens = (*camera).right * (d.x * (*camera).aperture_radius)
        + (*camera).up * (d.y * (*camera).aperture_radius);
    let focus = direction * (*camera).focus_distance;
    return CameraRay(
        (*camera).origin + on_lens,
        normalize_or(focus - on_lens, (*camera).forward),
    );
}
