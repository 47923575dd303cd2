/* Relational queries, by SOP class extended negotiation [PS3.7 D.3.3.5, PS3.4 C.5.1.1].
 * SPDX-License-Identifier: MIT */
#include <memory>

#include <dcmtk/dcmnet/extneg.h>

#include "association_dcmtk.h"

void association_offer_relational(T_ASC_Parameters *params, const struct dimse_context *contexts,
                                  size_t count)
{
    std::unique_ptr<SOPClassExtendedNegotiationSubItemList> list;

    for (size_t i = 0; i < count; i++) {
        if (!contexts[i].relational) continue;
        if (!list) list.reset(new SOPClassExtendedNegotiationSubItemList());
        std::unique_ptr<SOPClassExtendedNegotiationSubItem> item(
            new SOPClassExtendedNegotiationSubItem());
        item->sopClassUID = contexts[i].sop_class;
        item->sopClassUIDLength = (unsigned short)item->sopClassUID.length();
        /* Of what a searcher may wish for, the first alone. */
        item->serviceClassAppInfo = new unsigned char[1];
        item->serviceClassAppInfo[0] = 1;
        item->serviceClassAppInfoLength = 1;
        list->push_back(item.get());
        (void)item.release();
    }
    /* The parameters own it from here. */
    if (list) ASC_setRequestedExtNegList(params, list.release());
}

bool association_relational(const struct association *association, const char *sop_class)
{
    SOPClassExtendedNegotiationSubItemList *list = NULL;

    ASC_getAcceptedExtNegList(association->as->params, &list);
    if (!list) return false;
    for (OFListIterator(SOPClassExtendedNegotiationSubItem *) at = list->begin(); at != list->end();
         ++at)
        if ((*at)->sopClassUID == sop_class && (*at)->serviceClassAppInfoLength > 0)
            return (*at)->serviceClassAppInfo[0] == 1;
    return false;
}
