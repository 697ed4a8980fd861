//! Headers of tables by which a list is sorted: links, so that they work without a script.

use maud::{Markup, html};

/// The order of a list, and the start of the links that change it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sorting<'p> {
    /// The link to the list with its range and filter, to which `&order=` is added.
    pub(super) link: &'p str,
    /// The name of the present order.
    pub(super) order: &'p str,
}

impl Sorting<'_> {
    /// Renders a header that sorts by an order: names in ascending order, and numbers in descending order.
    pub(super) fn header(&self, label: &str, order: &str, class: &str) -> Markup {
        let direction = if order == "name" { "ascending" } else { "descending" };
        let is_current = self.order == order;
        html! {
            th scope="col" class=[(!class.is_empty()).then_some(class)] aria-sort=[is_current.then_some(direction)] {
                a href={ (self.link) "&order=" (order) } { (label) }
            }
        }
    }
}
