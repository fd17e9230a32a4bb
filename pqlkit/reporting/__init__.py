"""The rate: funnel, periods, and the renderers."""
