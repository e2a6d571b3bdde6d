//! What stands beside the world - databases, caches, the bill, an estate, a price list - behind a process: each look at it is a call like any
//! other.

use super::reading::missing;
use super::{Process, Subject};
use async_trait::async_trait;
use domain::cost::bill::Bill;
use domain::cost::prices::{PriceBook, Sold};
use domain::observed::Observed;
use domain::performance::cache;
use domain::performance::catalog::Catalog;
use domain::performance::pages::PageLook;
use domain::performance::vitals::Look;
use domain::performance::{Priced, Question, Sample};
use engine::ports::{Billing, Caches, Databases, Estates, Pages, PortResult, Scope, Surveyed, UnitPrices};
use jiff::civil::Date;

/// Something that a process reaches.
pub struct Reached<'a, T> {
    process: &'a Process,
    behind: &'a T,
}

impl Process {
    /// This, reached by this process.
    pub fn reaching<'a, T>(&'a self, behind: &'a T) -> Reached<'a, T> {
        Reached { process: self, behind }
    }
}

impl<T> Reached<'_, T> {
    async fn look<A: Send>(
        &self,
        operation: &'static str,
        work: impl Future<Output = PortResult<A>> + Send,
    ) -> PortResult<A> {
        self.process.call(operation, false, Subject::Records, work).await
    }
}

#[async_trait]
impl<T: Databases> Databases for Reached<'_, T> {
    async fn sample(&self, database: &str, with_texts: bool) -> PortResult<Sample> {
        self.look("Databases.sample", self.behind.sample(database, with_texts)).await
    }

    async fn catalog(&self, database: &str) -> PortResult<Catalog> {
        self.look("Databases.catalog", self.behind.catalog(database)).await
    }

    async fn look(&self, database: &str) -> PortResult<Look> {
        Reached::look(self, "Databases.look", self.behind.look(database)).await
    }

    async fn price(&self, database: &str, questions: &[Question]) -> PortResult<Vec<Option<Priced>>> {
        self.look("Databases.price", self.behind.price(database, questions)).await
    }
}

#[async_trait]
impl<T: Caches> Caches for Reached<'_, T> {
    async fn look(&self, cache: &str) -> PortResult<cache::Look> {
        Reached::look(self, "Caches.look", self.behind.look(cache)).await
    }
}

#[async_trait]
impl<T: Pages> Pages for Reached<'_, T> {
    async fn fetch(&self, url: &str) -> PortResult<PageLook> {
        Reached::look(self, "Pages.fetch", self.behind.fetch(url)).await
    }
}

#[async_trait]
impl<T: Billing> Billing for Reached<'_, T> {
    async fn read(&self, from: Date, to: Date) -> PortResult<Bill> {
        self.look("Billing.read", self.behind.read(from, to)).await
    }
}

#[async_trait]
impl<T: Estates> Estates for Reached<'_, T> {
    async fn survey(&self, scope: &Scope) -> PortResult<Surveyed> {
        self.look("Estates.survey", self.behind.survey(scope)).await
    }
}

#[async_trait]
impl<T: UnitPrices> UnitPrices for Reached<'_, T> {
    async fn list(&self, sold: &[Sold]) -> PriceBook {
        match self.look("UnitPrices.list", async { Ok(self.behind.list(sold).await) }).await {
            Ok(book) => book,
            Err(error) => {
                let why = missing(error);
                PriceBook { units: sold.iter().map(|of| (of.clone(), Observed::Missing(why.clone()))).collect() }
            }
        }
    }

    fn usage_type_prefix(&self) -> String {
        self.behind.usage_type_prefix()
    }
}
