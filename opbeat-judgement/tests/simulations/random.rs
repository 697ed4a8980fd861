//! Random numbers of the simulations, from a seed.

use fastrand::Rng;

/// A seeded generator with the distributions that the models need.
pub(crate) struct Random {
    uniform: Rng,
    spare: Option<f64>,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { uniform: Rng::with_seed(seed), spare: None }
    }

    /// Returns a number in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        self.uniform.f64()
    }

    pub(crate) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Returns a number whose logarithm is uniform.
    pub(crate) fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.uniform.usize(..end)
    }

    pub(crate) fn between(&mut self, low: usize, end: usize) -> usize {
        self.uniform.usize(low..end)
    }

    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        self.uniform.shuffle(values);
    }

    /// Returns a standard normal number: the polar method of Marsaglia.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (x, y) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                let factor = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// Returns a Poisson number: products of uniforms, or the normal approximation for large means.
    pub(crate) fn poisson(&mut self, mean: f64) -> usize {
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as usize;
        }
        let limit = (-mean.max(0.0)).exp();
        let (mut product, mut count) = (self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Returns stationary noise in which each value follows the one before.
    pub(crate) fn autoregressive(&mut self, length: usize, deviation: f64, correlation: f64) -> Vec<f64> {
        let mut value = self.normal() * deviation;
        let innovation = deviation * (1.0 - correlation * correlation).sqrt();
        let step = |_| {
            let now = value;
            value = correlation * value + innovation * self.normal();
            now
        };
        (0..length).map(step).collect()
    }
}
